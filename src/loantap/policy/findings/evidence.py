"""The loans as evidence: segments, outcomes, profits and their regression."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from loantap.policy.findings.adjustment import AdjustedFactor, Regression
from loantap.policy.findings.options import FindingsOptions
from loantap.policy.findings.segmentations import SEGMENTATIONS, Role, segment_loans
from loantap.policy.money.imputed import name_profit
from loantap.policy.money.scenarios import PaidLife
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.portfolio.errors import InputError

_YEAR: Final = "issue_year"
# What is adjusted: all but what is for the audit only.
FACTORS: Final = tuple(name for name, s in SEGMENTATIONS.items() if s.role is not Role.AUDIT)


@dataclass(frozen=True, slots=True)
class Effect:
  """Adjusted default rate of some loans minus that of all others, a fraction; standard error."""

  value: float
  error: float


NO_EFFECT: Final = Effect(float("nan"), float("nan"))


@dataclass(frozen=True)
class Evidence:
  """Resolved loans, one place in each array per loan.

  `segments` has one categorical per segmentation; `profits` are in currency. `adjusted` leaves out factors for the
  audit only, and is empty where the loans are too few for a regression; `pd` is what the regression expects.
  """

  segments: pd.DataFrame
  outcome: FloatArray
  years: IntArray
  profits: Mapping[PaidLife, FloatArray]
  adjusted: Mapping[str, AdjustedFactor]
  pd: FloatArray
  min_outcomes: int

  def neutral_pd(self, name: str) -> FloatArray:
    """PD of each loan if the factor had no effect."""
    return self.adjusted[name].neutral_pd if name in self.adjusted else self.pd

  def is_enough(self, loans: IntArray | int) -> BoolArray:
    """Whether so many loans, and all others, would hold enough of each outcome."""
    rate, count = float(self.outcome.mean()), np.asarray(loans)
    smaller = np.minimum(count, len(self.outcome) - count)
    enough: BoolArray = smaller * min(rate, 1 - rate) >= self.min_outcomes
    return enough

  def compare(self, name: str, segments: IntArray) -> Effect:
    """Effect of being in some segments of a segmentation, by their places.

    The regression leaves out audit factors, since the pincode would tear it apart: their effect
    is the excess of charge-offs over what all other factors let expect.
    """
    inside = np.isin(self.segments[name].cat.codes.to_numpy(), segments)
    loans = int(inside.sum())
    if not self.adjusted or not self.is_enough(loans):
      return NO_EFFECT
    if name in self.adjusted:
      return Effect(*self.adjusted[name].compare(segments))
    to_others = len(inside) / (len(inside) - loans) / loans
    excess = float((self.outcome - self.pd)[inside].sum())
    variance = float((self.pd * (1 - self.pd))[inside].sum())
    return Effect(excess * to_others, float(np.sqrt(variance)) * to_others)


def gather_evidence(loans: pd.DataFrame, profits: pd.DataFrame, scenario: str, options: FindingsOptions) -> Evidence:
  """Segment the resolved loans, and adjust every factor for all others; profits are those of `scenario`.

  Refused are no loans, and a loan without a profit.
  """
  if loans.empty:
    raise InputError("loans", "there is none", "Give a portfolio of resolved loans")
  segments = segment_loans(loans)
  outcome = loans["is_charged_off"].to_numpy(float)
  years = loans["issue_month"].dt.year
  adjusted: dict[str, AdjustedFactor] = {}
  expected = np.full(len(outcome), outcome.mean())
  all_segments = segments[list(FACTORS)].assign(**{_YEAR: years.astype("category")})
  regression = Regression(all_segments, outcome)
  rarer = min(outcome.sum(), len(outcome) - outcome.sum())
  if rarer >= options.min_outcomes_per_coefficient * regression.size:
    expected = regression.pd
    adjusted = _adjust(regression)
  return Evidence(
    segments=segments,
    outcome=outcome,
    years=years.to_numpy(),
    profits=_read_profits(loans["loan_id"], profits, scenario),
    adjusted=adjusted,
    pd=expected,
    min_outcomes=options.min_outcomes,
  )


def _adjust(regression: Regression) -> dict[str, AdjustedFactor]:
  """Each factor adjusted for all others but its twin."""
  twins = {name: SEGMENTATIONS[name].twin for name in FACTORS if SEGMENTATIONS[name].twin}
  adjusted = regression.adjust([name for name in FACTORS if name not in twins])
  for name, twin in twins.items():
    without = regression.segments.drop(columns=twin)
    adjusted |= Regression(without, regression.outcome).adjust([name])
  return {name: adjusted[name] for name in FACTORS}


def _read_profits(loan_ids: pd.Series, profits: pd.DataFrame, scenario: str) -> dict[PaidLife, FloatArray]:
  columns = {life: name_profit(scenario, life) for life in PaidLife}
  found = profits.set_index("loan_id")[list(columns.values())].reindex(loan_ids)
  missing = found.index[found.isna().any(axis=1)]
  if len(missing):
    raise InputError(
      "insights.profits",
      f"{len(missing):,} loans have no profit, the first is {missing[0]}",
      "Run the insights pipeline from its first node",
    )
  return {life: found[column].to_numpy() for life, column in columns.items()}
