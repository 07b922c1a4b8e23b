"""What recommended rules would have done to a file of applications."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from loantap.features.build import Values
from loantap.policy.lab.rules import Rule, apply_rules
from loantap.portfolio.arrays import BoolArray, IntArray


@dataclass(slots=True)
class RuleTally:
  """Counts, over a file's batches, what rules would decline that are recommended and not switched on."""

  rules: Sequence[Rule]
  applications: int = 0
  declined: IntArray | int = field(default=0)

  def add(self, columns: Values, is_open: BoolArray, is_valid: BoolArray) -> None:
    """Count a batch of typed canonical columns; `is_open`: whether a rule may still decline an application."""
    self.applications += int(is_valid.sum())
    self.declined = self.declined + apply_rules(self.rules, columns)[is_open].sum(axis=0)

  def describe(self) -> list[str]:
    """What each rule would have done, in a sentence; nothing of no applications."""
    if not self.applications:
      return []
    counts = [int(count) for count in self.declined]  # type: ignore[union-attr]
    return [
      f"Recommended and not switched on: {rule.title} would have declined {count:,} of {self.applications:,} "
      f"applications, besides those that are declined (scoring.recommendations=[{rule.id}])"
      for rule, count in zip(self.rules, counts, strict=True)
    ]
