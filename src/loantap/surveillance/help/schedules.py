"""Schedules that a borrower can carry, and what they are worth; arrays of one row per loan."""

from dataclasses import dataclass

import numpy as np

from loantap.policy.options import Affordability
from loantap.portfolio.amortisation import emi, implied_principal, monthly_rate, months_to_repay
from loantap.portfolio.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Owed:
  """What is owed, arrears included, and the contract's instalment and months left."""

  balance: FloatArray
  rate_pct: FloatArray
  instalment: FloatArray
  months_left: FloatArray


@dataclass(frozen=True, slots=True)
class Schedule:
  """An instalment for `step` months, then another up to `months`; NaN for none."""

  first: FloatArray
  step: FloatArray
  later: FloatArray
  months: FloatArray

  def value(self, rate_pct: float) -> FloatArray:
    """Present value at a yearly rate."""
    low = implied_principal(self.first - self.later, rate_pct, self.step)
    return low + implied_principal(self.later, rate_pct, self.months)


def highest_instalment(income: FloatArray, other_dti_pct: FloatArray, limits: Affordability) -> FloatArray:
  """The instalment at the nearer cap; income is monthly."""
  shares = np.minimum(limits.max_instalment_share, (limits.max_dti_pct - other_dti_pct) / 100)
  highest: FloatArray = shares * income
  return highest


def fewest_months(balance: FloatArray, rate_pct: FloatArray, highest: FloatArray) -> FloatArray:
  """Whole months in which instalments of at most `highest` repay a balance; NaN where none do."""
  months = np.ceil(months_to_repay(balance, rate_pct, highest))
  # At an exact number of months the logarithm may end on either side.
  months = months + (emi(balance, rate_pct, months) > highest)
  fewer = np.maximum(months - 1, 1)
  return np.where(emi(balance, rate_pct, fewer) <= highest, fewer, months)


def extend(owed: Owed, highest: FloatArray) -> Schedule:
  """All that is owed over the fewest months that suffice, no fewer than are left."""
  months = np.maximum(fewest_months(owed.balance, owed.rate_pct, highest), owed.months_left)
  instalment = emi(owed.balance, owed.rate_pct, months)
  return Schedule(instalment, np.zeros_like(months), instalment, months)


def step_up(owed: Owed, highest: FloatArray, highest_later: FloatArray, step: int) -> Schedule:
  """Pay the highest instalment now, at least the interest, and the rest at the later cap."""
  rate = monthly_rate(owed.rate_pct)
  rest = (owed.balance - implied_principal(highest, owed.rate_pct, step)) * (1 + rate) ** step
  rest = np.where((highest >= owed.balance * rate) & (rest > 0), rest, np.nan)
  months = np.maximum(fewest_months(rest, owed.rate_pct, highest_later), owed.months_left - step)
  return Schedule(highest, np.full_like(months, step), emi(rest, owed.rate_pct, months), step + months)


def value_contract(owed: Owed, rate_pct: float) -> FloatArray:
  """Present value of arrears at once and the instalments left, lower ones of who has paid ahead."""
  level = np.minimum(owed.instalment, emi(owed.balance, owed.rate_pct, np.maximum(owed.months_left, 1)))
  arrears = owed.balance - implied_principal(level, owed.rate_pct, owed.months_left)
  return arrears + implied_principal(level, rate_pct, owed.months_left)
