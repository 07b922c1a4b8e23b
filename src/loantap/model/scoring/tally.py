"""What is odd about applications without making them invalid."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from loantap.portfolio.arrays import FloatArray
from loantap.portfolio.column_reading import Texts
from loantap.portfolio.contradictions import TERMS, is_off
from loantap.portfolio.dictionary import COLUMNS
from loantap.portfolio.units import UnitCounts

_SHOWN = 5


@dataclass(slots=True)
class ApplicationTally:
  """Counts over the batches of a file, in their order.

  Attributes:
      units: where their numbers lie.
      exceptions: applications whose instalment is not that of amount, rate and term, as of an
          offer that is part-funded.
      first_exceptions: the first of those rows, numbered from 1.
      unseen: by canonical column, the categories that the model has not seen in training.
  """

  rows: int = 0
  units: UnitCounts = field(default_factory=UnitCounts)
  exceptions: int = 0
  first_exceptions: list[int] = field(default_factory=list)
  unseen: dict[str, Counter[str]] = field(default_factory=dict)

  def add(
    self, columns: Mapping[str, FloatArray | Texts], invalid: Sequence[int], seen: Mapping[str, frozenset[str]]
  ) -> None:
    """Count a batch: `invalid` are places that cannot be scored, `seen` known categories."""
    numbers = {n: v for n, v in columns.items() if not isinstance(v, Texts)}
    self.units.add(numbers)
    if numbers.keys() >= set(TERMS):
      is_exception = is_off(numbers)
      is_exception[list(invalid)] = False
      rows = np.flatnonzero(is_exception)
      self.exceptions += len(rows)
      room = _SHOWN - len(self.first_exceptions)
      self.first_exceptions += [self.rows + int(row) + 1 for row in rows[:room]]
    for name, known in seen.items():
      values = columns[name]
      if isinstance(values, Texts):
        self._count_unseen(name, values, known)
    self.rows += len(next(iter(numbers.values()), ()))

  def describe(self) -> list[str]:
    """What is worth a warning, each in a sentence."""
    said = []
    if self.exceptions:
      rows = ", ".join(f"{row:,}" for row in self.first_exceptions)
      more = ", ..." if self.exceptions > len(self.first_exceptions) else ""
      said.append(
        f"{self.exceptions:,} of {self.rows:,} applications (rows {rows}{more}) have an "
        f"instalment that is not that of their amount, rate and term, by more than 1%; "
        f"they are scored as they are"
      )
    for name, counts in self.unseen.items():
      shown = ", ".join(f"'{text}' ({rows:,})" for text, rows in counts.most_common(_SHOWN))
      more = ", ..." if len(counts) > _SHOWN else ""
      said.append(
        f"{counts.total():,} of {self.rows:,} applications have a "
        f"{COLUMNS[name].source_name} that the model has never seen: {shown}{more}; they "
        f"are scored as a rare one"
      )
    return said

  def _count_unseen(self, name: str, texts: Texts, known: frozenset[str]) -> None:
    new = [place for place, text in enumerate(texts.values) if text not in known]
    if not new:
      return
    rows = np.bincount(texts.codes[texts.codes >= 0], minlength=len(texts.values))
    counts = self.unseen.setdefault(name, Counter())
    for place in filter(rows.__getitem__, new):
      counts[texts.values[place]] += int(rows[place])
