"""Intervals of rates."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

_Z95: Final = float(norm.ppf(0.975))


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
