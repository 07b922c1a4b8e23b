"""Approval rates of groups beside that of the group approved most often."""

from dataclasses import dataclass
from math import comb

import numpy as np
from scipy.stats import norm

from loantap.measures.intervals import wilson_bounds
from loantap.policy.money.returns import NO_ESTIMATE, Estimate
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class ApprovalRatios:
  """The approval rate of each group of one proxy by that of the group approved most often, `is_measure`.

  Missing for a group with too few loans, and where nobody is approved. The intervals of a proxy hold all at once in
  95%.
  """

  ratio: FloatArray
  low: FloatArray
  high: FloatArray
  is_measure: BoolArray

  @property
  def worst(self) -> Estimate:
    """The least ratio with its simultaneous 95% bounds; missing with fewer than two groups."""
    others = ~self.is_measure & ~np.isnan(self.ratio)
    if not others.any():
      return NO_ESTIMATE
    return Estimate(*(float(values[others].min()) for values in (self.ratio, self.low, self.high)))


def measure_ratios(approved: IntArray, loans: IntArray, min_loans: int) -> ApprovalRatios:
  """Ratio of each group's approval rate to the highest, with simultaneous 95% intervals.

  The highest is read off the same loans, so the intervals are those of all pairs of groups at
  once (Bonferroni). Groups of fewer than `min_loans` are left out.
  """
  ratio, low, high = (np.full(len(loans), np.nan) for _ in range(3))
  is_measure = np.zeros(len(loans), dtype=bool)
  large = np.flatnonzero(loans >= min_loans)
  if not approved[large].sum():
    return ApprovalRatios(ratio, low, high, is_measure)
  measure = large[np.argmax(approved[large] / loans[large])]
  is_measure[measure] = True
  ratio[large] = approved[large] / loans[large] / (approved[measure] / loans[measure])
  low[large], high[large] = ratio_bounds(
    (approved[large], loans[large]),
    (approved[measure], loans[measure]),
    float(norm.isf(0.025 / max(comb(len(large), 2), 1))),
  )
  low[measure] = high[measure] = 1
  return ApprovalRatios(ratio, low, high, is_measure)


def ratio_bounds(group: tuple[IntArray, IntArray], measure: tuple[int, int], z: float) -> tuple[FloatArray, FloatArray]:
  """Bounds of the ratio of two rates, from the Wilson bounds of each; also where all or none are approved.

  Donner and Zou, *Closed-form confidence intervals for functions of the normal mean and standard deviation*, 2012
  (MOVER-R). `group` and `measure` are approved (of the latter at least one) and loans; `z` standard errors.
  """
  rate, base = group[0] / group[1], measure[0] / measure[1]
  low, high = wilson_bounds(*group, z)
  base_low, base_high = (float(bound) for bound in wilson_bounds(*measure, z))
  product = rate * base

  def solve(end: FloatArray, base_end: float, sign: int) -> FloatArray:
    spread = end * base_end * (2 * rate - end) * (2 * base - base_end)
    root = np.sqrt(np.maximum(product**2 - spread, 0))
    solved: FloatArray = (product + sign * root) / (base_end * (2 * base - base_end))
    return solved

  return solve(low, base_high, -1), solve(high, base_low, 1)
