"""Intervals of rates."""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.stats import hypergeom, norm

from loantap.portfolio.arrays import FloatArray, IntArray

Rates = TypeVar("Rates")

# Standard errors to either side of a 95% interval, and to one side of a bound.
Z95: Final = float(norm.ppf(0.975))
Z95_ONE_SIDED: Final = float(norm.ppf(0.95))


def two_sided_z(share: float) -> float:
  """Standard errors that a normal figure lies further off than in `share` of the cases."""
  return float(norm.isf(share / 2))


def chance_of_shares(hits: int, rows: int, other_hits: int, other_rows: int) -> float:
  """Probability that two samples of one population differ so in a share, or more.

  Fisher's exact test, the smaller tail doubled.
  """
  drawn = hypergeom(rows + other_rows, hits + other_hits, rows)
  return float(min(1.0, 2 * min(drawn.sf(hits - 1), drawn.cdf(hits))))


@dataclass(frozen=True, slots=True)
class DefaultRate(Generic[Rates]):
  """A default rate, or one per group of loans, with its 95% interval (Wilson)."""

  rate: Rates
  low: Rates
  high: Rates

  @property
  def columns(self) -> dict[str, Rates]:
    """`default_rate`, `default_rate_low`, `default_rate_high`."""
    return {"default_rate": self.rate, "default_rate_low": self.low, "default_rate_high": self.high}


def measure_default_rate(charged_off: int, loans: int) -> DefaultRate[float]:
  """The default rate of at least one loan."""
  low, high = wilson_bounds(charged_off, loans)
  return DefaultRate(charged_off / loans, float(low), float(high))


def measure_default_rates(charged_off: IntArray, loans: IntArray) -> DefaultRate[FloatArray]:
  """The default rate of each group of at least one loan."""
  low, high = wilson_bounds(charged_off, loans)
  return DefaultRate(charged_off / loans, low, high)


def normal_half_width(standard_error: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
  """Half the width of a 95% interval of a normally distributed figure."""
  return Z95 * standard_error


def normal_bounds(
  score: npt.NDArray[np.float64], standard_error: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
  """95% bounds of scores between 0 and 1 from their standard errors."""
  half = normal_half_width(standard_error)
  return np.clip(score - half, 0, 1), np.clip(score + half, 0, 1)


def wilson_bounds(
  charged_off: npt.ArrayLike, loans: npt.ArrayLike, z: float = Z95
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
  """95% bounds of default rates (Wilson, JASA 1927); arrays of counts, at least one loan each.

  `z`: standard errors to either side.
  """
  bad, count = np.asarray(charged_off, dtype=float), np.asarray(loans, dtype=float)
  z2 = z**2
  centre = (bad + z2 / 2) / (count + z2)
  half = z * np.sqrt(bad * (count - bad) / count + z2 / 4) / (count + z2)
  # Rounding must not leave a rate of 0 or 1 outside its own interval.
  return np.clip(centre - half, 0, bad / count), np.clip(centre + half, bad / count, 1)
