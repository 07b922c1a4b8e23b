"""Intervals of rates, and how far the PDs of one population lie from those of another."""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import chi2, hypergeom, ncx2, norm

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


# An empty band would make the logarithm infinite.
_MIN_COUNT = 0.5
_TAIL: Final = 0.025
_CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class StabilityIndex:
	"""Population stability index (PSI) of two samples.

	`low` and `high` bound it in the populations (95%); `chance` is what two samples of one exceed 5 times in 100.
	"""

	psi: float
	low: float
	high: float
	chance: float


def measure_stability(expected: FloatArray, actual: FloatArray, *, bins: int = 10) -> StabilityIndex:
	"""PSI between two samples of PDs, over bands with equal counts of the expected ones.

	The sum over bands of (a - e) ln(a / e), a and e being the shares of each sample; an empty band
	counts as half a loan. Siddiqi, *Credit Risk Scorecards*, 2006; his rule of thumb is below 0.1
	stable, above 0.25 shifted.

	Divided by 1/n + 1/m, the PSI is about chi-square by chance alone, non-central where populations differ (Yurdakul,
	Western Michigan University, 2018). A bootstrap would count chance twice.
	"""
	inner = np.unique(np.quantile(expected, np.linspace(0, 1, bins + 1)[1:-1]))
	counts = [
		np.bincount(np.searchsorted(inner, pd_, side="right"), minlength=len(inner) + 1) for pd_ in (expected, actual)
	]
	return compare_counts(*counts)


def compare_counts(expected: IntArray, actual: IntArray) -> StabilityIndex:
	"""The same of samples counted by band, some band of `expected` being above 0.

	Of those who paid and those who did not it is the information value (IV) of the bands.
	"""
	e, a = (_share(np.maximum(count, _MIN_COUNT)) for count in (expected, actual))
	psi = float(((a - e) * np.log(a / e)).sum())
	by_chance = 1 / expected.sum() + 1 / actual.sum()
	free = _free(expected)
	low, high = noncentrality_bounds(psi / by_chance, free)
	return StabilityIndex(
		psi,
		low * by_chance,
		# No shift could have shown a PSI so close to 0.
		max(high * by_chance, psi),
		exceed_by_chance(expected, actual, 1 - _CONFIDENCE),
	)


def exceed_by_chance(expected: IntArray, actual: IntArray, share: float) -> float:
	"""The PSI that two samples of one population, of these sizes, exceed in `share` of the cases."""
	return float(chi2.isf(share, _free(expected)) * (1 / expected.sum() + 1 / actual.sum()))


def _free(bands: IntArray) -> int:
	return max(len(bands) - 1, 1)


def noncentrality_bounds(statistic: float, free: int) -> tuple[float, float]:
	"""95% bounds of the non-centrality of a chi-square statistic of `free` degrees; 0 if none."""
	return _shift(statistic, free, 1 - _TAIL), _shift(statistic, free, _TAIL)


def _shift(statistic: float, free: int, share: float) -> float:
	"""Non-centrality at which `share` of the draws lie below the statistic; 0 if at none."""
	if chi2.cdf(statistic, free) <= share:
		return 0.0
	# Far beyond: the mean of the draws is the non-centrality and more.
	furthest = 10 * statistic + 100
	found: float = brentq(lambda shift: ncx2.cdf(statistic, free, shift) - share, 1e-9, furthest)
	return found


def _share(counts: npt.NDArray[np.float64]) -> FloatArray:
	shares: FloatArray = counts / counts.sum()
	return shares
