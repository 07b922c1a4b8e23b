"""How far the PDs of one population lie from those of another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loantap.measures.auc import quantile_bounds
from loantap.portfolio.arrays import FloatArray

# A band nobody is in would make the logarithm infinite.
_MIN_COUNT = 0.5


@dataclass(frozen=True, slots=True)
class StabilityIndex:
    """Population stability index (PSI) and its 95% bootstrap interval, `low` to `high`."""

    psi: float
    low: float
    high: float


def measure_stability(
    expected: FloatArray, actual: FloatArray, *, seed: int, resamples: int, bins: int = 10
) -> StabilityIndex:
    """PSI between two samples of PDs, over bands with equal counts of the expected ones.

    The sum over bands of (a - e) ln(a / e), a and e being the shares of each sample; an empty
    band counts as half a loan. Siddiqi, *Credit Risk Scorecards*, 2006; his rule of thumb is
    below 0.1 stable, above 0.25 shifted.

    Args:
        expected: PDs the model was developed on.
        actual: PDs of the population compared with it.
        seed: of the bootstrap.
        resamples: of the bootstrap, whose interval is the basic one; the bands are held.
        bins: number of bands.
    """
    inner = np.unique(np.quantile(expected, np.linspace(0, 1, bins + 1)[1:-1]))
    counts = [
        np.bincount(np.searchsorted(inner, pd_, side="right"), minlength=len(inner) + 1)
        for pd_ in (expected, actual)
    ]
    rng = np.random.default_rng(seed)
    drawn = [rng.multinomial(c.sum(), c / c.sum(), size=resamples) for c in counts]
    psi = float(_index(counts[0], counts[1]))
    low, high = quantile_bounds(_index(drawn[0], drawn[1]))
    # Chance makes two samples of one population differ, and resamples of them once more: the basic
    # interval takes that off, where the percentile interval would add it and leave out the PSI.
    return StabilityIndex(psi, max(2 * psi - high, 0.0), max(2 * psi - low, psi))


def _index(expected: npt.NDArray[np.int64], actual: npt.NDArray[np.int64]) -> FloatArray:
    """PSI of counts per band, which are the last axis."""
    e, a = (_share(np.maximum(counts, _MIN_COUNT)) for counts in (expected, actual))
    psi: FloatArray = ((a - e) * np.log(a / e)).sum(axis=-1)
    return psi


def _share(counts: FloatArray) -> FloatArray:
    shares: FloatArray = counts / counts.sum(axis=-1, keepdims=True)
    return shares
