"""Profit and yearly return of loans together, with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import brentq

from loantap.measures.intervals import Z95
from loantap.policy.money.imputed import ImputedFlows
from loantap.portfolio.amortisation import MONTHS_PER_YEAR
from loantap.portfolio.arrays import FloatArray

# Monthly rates between which a return is looked for: all but everything is lost, or it doubles.
_LOWEST, _HIGHEST = -0.5, 1.0
_NO_FIGURE: Final = float("nan")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95% interval.

    Attributes:
        value: the figure.
        low: lower bound.
        high: upper bound.
    """

    value: float
    low: float
    high: float


def estimate_mean(values: FloatArray) -> Estimate:
    """Mean of independent loans, with its 95% interval (normal); not a number of none.

    The interval of a single loan is not a number.
    """
    if not len(values):
        return Estimate(_NO_FIGURE, _NO_FIGURE, _NO_FIGURE)
    mean = float(values.mean())
    if len(values) == 1:
        return Estimate(mean, _NO_FIGURE, _NO_FIGURE)
    half = Z95 * float(values.std(ddof=1)) / float(np.sqrt(len(values)))
    return Estimate(mean, mean - half, mean + half)


def yearly_return(flows: ImputedFlows) -> Estimate:
    """Internal rate of return of all loans together, effective per year, as a fraction.

    The rate at which what they pay is worth what they cost. Its interval follows from the spread
    of the loans' NPVs at that rate (delta method). Not a number where there are no loans, or where
    less than half of what was lent comes back in a month.
    """
    if not len(flows):
        return Estimate(_NO_FIGURE, _NO_FIGURE, _NO_FIGURE)
    paid, cost = pool_flows(flows), float(flows.cost.sum())
    months = np.arange(len(paid))

    def excess(rate: float) -> float:
        return float(paid @ (1 + rate) ** -months) - cost

    if excess(_LOWEST) < 0 or excess(_HIGHEST) > 0:
        return Estimate(_NO_FIGURE, _NO_FIGURE, _NO_FIGURE)
    rate = float(brentq(excess, _LOWEST, _HIGHEST, xtol=1e-12))
    slope = -float(paid @ (months * (1 + rate) ** -(months + 1.0)))
    spread = float(_npv_at(flows, rate).std()) * np.sqrt(len(flows))
    half = Z95 * spread / abs(slope)
    return Estimate(*(_per_year(monthly) for monthly in (rate, rate - half, rate + half)))


def pool_flows(flows: ImputedFlows) -> FloatArray:
    """What all loans together pay in each month, from month 0 on, in which it was made."""
    months = flows.months.astype(int)
    length = int(months.max(initial=0)) + 1
    # A loan pays its instalment in each month from the first up to its last.
    instalments = np.bincount(months, flows.instalment, length)[::-1].cumsum()[::-1]
    instalments[0] = 0
    paid: FloatArray = instalments + np.bincount(months, flows.last, length)
    return paid


def _npv_at(flows: ImputedFlows, rate: float) -> FloatArray:
    discount = (1 + rate) ** -flows.months
    annuity = flows.months if rate == 0 else (1 - discount) / rate
    return flows.instalment * annuity + flows.last * discount - flows.cost


def _per_year(monthly: float) -> float:
    return float((1 + monthly) ** MONTHS_PER_YEAR - 1)
