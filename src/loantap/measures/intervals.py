"""Intervals of rates."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

_Z95: Final = float(norm.ppf(0.975))


def normal_half_width(standard_error: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Half the width of a 95% interval of a figure that is about normally distributed."""
    return _Z95 * standard_error


def normal_bounds(
    score: npt.NDArray[np.float64], standard_error: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """95% bounds of scores between 0 and 1 from their standard errors."""
    half = normal_half_width(standard_error)
    return np.clip(score - half, 0, 1), np.clip(score + half, 0, 1)


def wilson_bounds(
    charged_off: npt.ArrayLike, loans: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """95% bounds of default rates (Wilson, JASA 1927); arrays of counts, at least one loan each."""
    bad, count = np.asarray(charged_off, dtype=float), np.asarray(loans, dtype=float)
    z2 = _Z95**2
    centre = (bad + z2 / 2) / (count + z2)
    half = _Z95 * np.sqrt(bad * (count - bad) / count + z2 / 4) / (count + z2)
    # Rounding must not leave a rate of 0 or 1 outside its own interval.
    return np.clip(centre - half, 0, bad / count), np.clip(centre + half, bad / count, 1)
