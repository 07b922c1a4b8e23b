"""Approval rates of groups beside that of the group approved most often."""

from dataclasses import dataclass
from math import comb

import numpy as np
from scipy.stats import norm

from loantap.measures.intervals import wilson_bounds
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class ApprovalRatios:
    """The ratio of each group of one proxy, under one policy.

    Attributes:
        ratio: approval rate by that of the group approved most often; missing for a group with too
            few loans, and where nobody is approved.
        low: lower end of its interval; the intervals of a proxy hold all at once in 95%.
        high: upper end; above 1 where another group may be approved most often.
        is_measure: the group approved most often.
    """

    ratio: FloatArray
    low: FloatArray
    high: FloatArray
    is_measure: BoolArray

    @property
    def worst(self) -> tuple[float, float, float]:
        """The least ratio with its simultaneous 95% bounds; missing with fewer than two groups."""
        others = ~self.is_measure & ~np.isnan(self.ratio)
        if not others.any():
            return np.nan, np.nan, np.nan
        of = (self.ratio, self.low, self.high)
        least, low, high = (float(values[others].min()) for values in of)
        return least, low, high


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
    """Bounds of the ratio of two rates, from the Wilson bounds of each.

    Donner and Zou, *Closed-form confidence intervals for functions of the normal mean and standard
    deviation*, 2012 (MOVER-R). It holds where all or none of a group are approved, too. `group` and
    `measure` are approved (of the latter at least one) and loans; `z` standard errors.
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
