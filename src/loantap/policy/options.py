"""Options of insights and scoring; `conf/base/parameters_insights.yml` explains them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from loantap.policy.lab.rules import Rule
from loantap.policy.money.cash_flows import PaidLife
from loantap.portfolio.options import DatedOptions, Options, Part, Portion, Some


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


class FindingsOptions(Options):
  """When a finding is told, and how factors are binned.

  Attributes:
      min_outcomes: a segment is judged when, at the default rate of the portfolio, at least so many of its loans, and
          of all others, would be charged off and so many paid back.
      min_outcomes_per_coefficient: charge-offs, and paid loans, that the portfolio must have for each coefficient of
          the adjusting regression; real loans have some 90. Where outcomes are random, 1 for each finds what is not
          there in 23% of portfolios; 3 a segment in 4% and a factor in 5%.
  """

  min_outcomes: PositiveInt
  min_outcomes_per_year: PositiveInt
  min_outcomes_per_coefficient: PositiveInt
  false_discovery_rate: Part
  max_bins: Annotated[int, Field(ge=2, le=20)]
  binning_seconds: Annotated[int, Field(ge=1, le=60)]


class FairnessOptions(Options):
  """The audit of policies, and what a fairer one costs.

  `four_fifths` is a rule of thumb of employment law (EEOC, Uniform Guidelines, 1978). `target_ratios` rise.
  """

  min_loans: Annotated[int, Field(ge=30)]
  four_fifths: Some
  target_ratios: Annotated[tuple[Some, ...], Field(min_length=1)]


class ComparisonOptions(Options):
  """The policies that are compared, and the frontier; what is referred counts as declined."""

  caps: tuple[Part, ...] = Field(min_length=1)
  shown_cap: Part
  referred_share: Part
  profit_score_penalty: PositiveFloat
  frontier_points: Annotated[int, Field(ge=2, le=200)]

  @model_validator(mode="after")
  def _is_consistent(self) -> ComparisonOptions:
    if len(set(self.caps)) < len(self.caps):
      raise ValueError("caps: one is given twice")
    if self.shown_cap not in self.caps:
      raise ValueError(f"shown_cap: {self.shown_cap:g} is not one of the caps")
    return self


class InsightsOptions(DatedOptions):
  """What the portfolio says of policy; segments below `min_loans` are put together."""

  min_loans: PositiveInt
  comparison: ComparisonOptions
  fairness: FairnessOptions
  findings: FindingsOptions
  lab: LabOptions


class ScoringOptions(DatedOptions):
  """Batch scoring; `recommendations` are ids of the rules of `recommendations.json` that are switched on."""

  max_invalid_share: Portion = 0.05
  recommendations: tuple[str, ...] = ()
