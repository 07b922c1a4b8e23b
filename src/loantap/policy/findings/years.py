"""Whether an effect holds over the years of issue.

In each year, a segment's charge-offs are compared with those that the regression expects if the factor had no effect.
It includes the year, since a year's level hangs on how many of its loans are resolved.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from loantap.policy.findings.evidence import Evidence
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class YearTable:
  """One factor over the years, which rise; arrays of segments x years.

  `excess` are charge-offs beyond those expected, as a share of the loans, not a number where there is none;
  `is_enough` is nowhere where nothing could be adjusted.
  """

  years: IntArray
  loans: IntArray
  charged_off: IntArray
  excess: FloatArray
  variance: FloatArray
  is_enough: BoolArray


@dataclass(frozen=True, slots=True)
class Stability:
  """How a segment's effect varies over the `years` with enough loans to say.

  In `same_sign` of them it has the sign that it has over all; `p_value` is of Cochran's test that it is the same in
  all.
  """

  years: int
  same_sign: int
  p_value: float


def tabulate_years(evidence: Evidence, name: str, min_outcomes: int) -> YearTable:
  """Excess of charge-offs in every segment of a factor in every year."""
  years, year = np.unique(evidence.years, return_inverse=True)
  segment = evidence.segments[name].cat
  shape = (len(segment.categories), len(years))
  cell = segment.codes.to_numpy().astype(np.int64) * len(years) + year

  def count(weights: FloatArray | None = None) -> FloatArray:
    summed = np.bincount(cell, weights, shape[0] * shape[1]).reshape(shape)
    return summed.astype(float)

  loans, charged_off = count(), count(evidence.outcome)
  fitted, rate = evidence.pd, float(evidence.outcome.mean())
  with np.errstate(invalid="ignore"):
    excess = (charged_off - count(evidence.neutral_pd(name))) / loans
    variance = count(fitted * (1 - fitted)) / loans**2
  enough = (loans * min(rate, 1 - rate) >= min_outcomes) & bool(evidence.adjusted)
  counts = loans.astype(np.int64), charged_off.astype(np.int64)
  return YearTable(years, *counts, excess, variance, enough)


def measure_stability_over_years(table: YearTable, segment: int) -> Stability:
  """Cochran's test of one segment's excess over the years that have enough loans."""
  enough = table.is_enough[segment]
  excess, weight = table.excess[segment, enough], 1 / table.variance[segment, enough]
  years = int(enough.sum())
  if not years:
    return Stability(0, 0, float("nan"))
  mean = float(excess @ weight / weight.sum())
  same_sign = int((np.sign(excess) == np.sign(mean)).sum())
  if years < 2:
    return Stability(years, same_sign, float("nan"))
  return Stability(years, same_sign, float(chi2.sf(weight @ (excess - mean) ** 2, years - 1)))


def follow_driver(table: YearTable) -> tuple[FloatArray, FloatArray]:
  """How strongly a factor drives default in each year, by its segments' order in all other years.

  The covariance, over the loans of the year, of their excess of charge-offs with that of their segment in the other
  years, scaled to one standard deviation. A factor that does nothing comes out at 0, not above, as it would by the
  year's own order.

  Returns strength, a fraction, and standard error of each year; not a number with too few loans.
  """
  years = len(table.years)
  strength, error = np.full(years, np.nan), np.full(years, np.nan)
  summed = np.nan_to_num(table.excess) * table.loans
  for year in range(years):
    here = table.loans[:, year] * table.is_enough[:, year]
    others = np.arange(years) != year
    there = (table.loans * table.is_enough)[:, others].sum(axis=1)
    judged = (here > 0) & (there > 0)
    if judged.sum() < 2:
      continue
    shares = here[judged] / here[judged].sum()
    order = (summed * table.is_enough)[judged][:, others].sum(axis=1) / there[judged]
    order = order - shares @ order
    spread = float(np.sqrt(shares @ order**2))
    if spread > 0:
      order /= spread
      strength[year] = (shares * order) @ table.excess[judged, year]
      error[year] = np.sqrt((shares * order) ** 2 @ table.variance[judged, year])
  return strength, error
