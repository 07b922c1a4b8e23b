"""Profit and yearly return of loans together, with their intervals."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import brentq

from loantap.measures.intervals import Z95, wilson_bounds
from loantap.policy.money.imputed import ImputedFlows
from loantap.portfolio.amortisation import MONTHS_PER_YEAR, annuity_factor
from loantap.portfolio.arrays import FloatArray

# Monthly rates between which a return is looked for.
_LOWEST, _HIGHEST = -0.5, 1.0


@dataclass(frozen=True, slots=True)
class Estimate:
  """A figure with the bounds of its 95% interval."""

  value: float
  low: float
  high: float

  def named(self, name: str) -> dict[str, float]:
    """As three columns: its name, with `_low` and with `_high`."""
    return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}


NO_ESTIMATE: Final = Estimate(math.nan, math.nan, math.nan)


def estimate_share(hits: int, of: int) -> Estimate:
  """A share with its 95% interval (Wilson); not a number of none."""
  if not of:
    return NO_ESTIMATE
  low, high = wilson_bounds(hits, of)
  return Estimate(hits / of, float(low), float(high))


def estimate_mean(values: FloatArray) -> Estimate:
  """Mean of independent loans, with its 95% interval (normal); not a number of none."""
  if not len(values):
    return NO_ESTIMATE
  mean = float(values.mean())
  if len(values) == 1:
    return Estimate(mean, math.nan, math.nan)
  half = Z95 * float(values.std(ddof=1)) / float(np.sqrt(len(values)))
  return Estimate(mean, mean - half, mean + half)


def yearly_return(flows: ImputedFlows) -> Estimate:
  """Internal rate of return of all loans together, effective per year, as a fraction.

  Its interval follows from the spread of the loans' NPVs at that rate (delta method). Not a number where less than
  half of what was lent comes back in a month.
  """
  if not len(flows):
    return NO_ESTIMATE
  paid, cost = pool_flows(flows), float(flows.cost.sum())
  months = np.arange(len(paid))

  def excess(rate: float) -> float:
    return float(paid @ (1 + rate) ** -months) - cost

  if excess(_LOWEST) < 0 or excess(_HIGHEST) > 0:
    return NO_ESTIMATE
  rate = float(brentq(excess, _LOWEST, _HIGHEST))
  # By how much the NPV of all falls as the rate rises.
  fall = float(paid @ (months * (1 + rate) ** -(months + 1.0)))
  half = Z95 * float(_npv_at(flows, rate).std()) * np.sqrt(len(flows)) / fall
  return Estimate(*(_per_year(monthly) for monthly in (rate, rate - half, rate + half)))


def pool_flows(flows: ImputedFlows) -> FloatArray:
  """What at least one loan pays in each month, all together, from issue (0) on."""
  months = flows.months.astype(int)
  # Instalments are paid from the first month up to the last.
  paid: FloatArray = np.bincount(months, flows.instalment)[::-1].cumsum()[::-1]
  paid[0] = 0
  return paid + np.bincount(months, flows.last)


def _npv_at(flows: ImputedFlows, rate: float) -> FloatArray:
  # Found up to rounding: an annuity must be exact next to 0 too.
  instalments = flows.instalment * annuity_factor(100 * MONTHS_PER_YEAR * rate, flows.months)
  return instalments + flows.last * (1 + rate) ** -flows.months - flows.cost


def _per_year(monthly: float) -> float:
  # Nobody loses more than everything.
  return float((1 + max(monthly, -1.0)) ** MONTHS_PER_YEAR - 1)
