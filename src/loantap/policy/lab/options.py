"""Options of the policy lab; `conf/base/parameters_insights.yml` explains them."""

from typing import Annotated

from pydantic import Field, PositiveInt, field_validator

from loantap.policy.lab.rules import Rule
from loantap.policy.money.scenarios import PaidLife
from loantap.portfolio.options import Options


class LabOptions(Options):
  """Rules that are tested on all judged loans, and how others are searched for."""

  rules: tuple[Rule, ...]
  paid_life: PaidLife
  min_loans: PositiveInt
  edges: Annotated[int, Field(ge=2, le=50)]
  max_found: PositiveInt
  max_overlap: Annotated[float, Field(ge=0, lt=1)]

  @field_validator("rules")
  @classmethod
  def _have_names_of_their_own(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    ids = [rule.id for rule in rules]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
      raise ValueError(f"two rules have the id {twice[0]!r}; rename one")
    taken = [name for name in ids if name.startswith("found_")]
    if taken:
      raise ValueError(f"the id {taken[0]!r} begins like those of the search; rename it")
    return rules
