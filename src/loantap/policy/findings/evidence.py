"""The loans as evidence: segments, outcomes, profits and their regression; whether effects hold over the years.

In each year, a segment's charge-offs are compared with those expected if the factor had no effect. The regression
includes the year, whose level hangs on how many of its loans are resolved.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2

from loantap.policy.findings.adjustment import AdjustedFactor, Regression
from loantap.policy.findings.segmentations import SEGMENTATIONS, Role, segment_loans
from loantap.policy.money.cash_flows import PaidLife
from loantap.policy.money.returns import name_profit
from loantap.policy.options import FindingsOptions
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.portfolio.errors import InputError

_YEAR = "issue_year"
# What is adjusted: all but what is for the audit only.
FACTORS = tuple(name for name, s in SEGMENTATIONS.items() if s.role is not Role.AUDIT)


@dataclass(frozen=True, slots=True)
class Effect:
	"""Adjusted default rate of some loans minus that of all others, a fraction; standard error."""

	value: float
	error: float


NO_EFFECT = Effect(float("nan"), float("nan"))


@dataclass(frozen=True)
class Evidence:
	"""Resolved loans, one place in each array per loan.

	`segments`: one categorical per segmentation; `profits` are in currency. `adjusted` leaves out factors for the audit,
	and is empty where the loans are too few for a regression, which expects `pd`.
	"""

	segments: pd.DataFrame
	outcome: FloatArray
	years: IntArray
	profits: Mapping[PaidLife, FloatArray]
	adjusted: Mapping[str, AdjustedFactor]
	pd: FloatArray
	min_outcomes: int

	def neutral_pd(self, name: str) -> FloatArray:
		"""PD of each loan if the factor had no effect."""
		return self.adjusted[name].neutral_pd if name in self.adjusted else self.pd

	def is_enough(self, loans: IntArray | int) -> BoolArray:
		"""Whether so many loans, and all others, would hold enough of each outcome."""
		rate, count = float(self.outcome.mean()), np.asarray(loans)
		smaller = np.minimum(count, len(self.outcome) - count)
		enough: BoolArray = smaller * min(rate, 1 - rate) >= self.min_outcomes
		return enough

	def compare(self, name: str, segments: IntArray) -> Effect:
		"""Effect of being in some segments of a segmentation, by their places.

		The pincode would tear the regression apart: of audit factors it is the excess of charge-offs over what all others
		let expect.
		"""
		inside = np.isin(self.segments[name].cat.codes.to_numpy(), segments)
		loans = int(inside.sum())
		if not self.adjusted or not self.is_enough(loans):
			return NO_EFFECT
		if name in self.adjusted:
			return Effect(*self.adjusted[name].compare(segments))
		to_others = len(inside) / (len(inside) - loans) / loans
		excess = float((self.outcome - self.pd)[inside].sum())
		variance = float((self.pd * (1 - self.pd))[inside].sum())
		return Effect(excess * to_others, float(np.sqrt(variance)) * to_others)


def gather_evidence(loans: pd.DataFrame, profits: pd.DataFrame, scenario: str, options: FindingsOptions) -> Evidence:
	"""Segment the resolved loans, and adjust every factor for all others; profits are those of `scenario`.

	Refused are no loans, and one without a profit.
	"""
	if loans.empty:
		raise InputError("loans", "there is none", "Give a portfolio of resolved loans")
	segments = segment_loans(loans)
	outcome = loans["is_charged_off"].to_numpy(float)
	years = loans["issue_month"].dt.year
	adjusted: dict[str, AdjustedFactor] = {}
	expected = np.full(len(outcome), outcome.mean())
	all_segments = segments[list(FACTORS)].assign(**{_YEAR: years.astype("category")})
	regression = Regression(all_segments, outcome)
	rarer = min(outcome.sum(), len(outcome) - outcome.sum())
	if rarer >= options.min_outcomes_per_coefficient * regression.size:
		expected = regression.pd
		adjusted = _adjust(regression)
	return Evidence(
		segments=segments,
		outcome=outcome,
		years=years.to_numpy(),
		profits=_read_profits(loans["loan_id"], profits, scenario),
		adjusted=adjusted,
		pd=expected,
		min_outcomes=options.min_outcomes,
	)


def _adjust(regression: Regression) -> dict[str, AdjustedFactor]:
	"""No factor is adjusted for its twin."""
	twins = {name: SEGMENTATIONS[name].twin for name in FACTORS if SEGMENTATIONS[name].twin}
	adjusted = regression.adjust([name for name in FACTORS if name not in twins])
	for name, twin in twins.items():
		without = regression.segments.drop(columns=twin)
		adjusted |= Regression(without, regression.outcome).adjust([name])
	return {name: adjusted[name] for name in FACTORS}


def _read_profits(loan_ids: pd.Series, profits: pd.DataFrame, scenario: str) -> dict[PaidLife, FloatArray]:
	columns = {life: name_profit(scenario, life) for life in PaidLife}
	found = profits.set_index("loan_id")[list(columns.values())].reindex(loan_ids)
	missing = found.index[found.isna().any(axis=1)]
	if len(missing):
		raise InputError(
			"insights.profits",
			f"{len(missing):,} loans have no profit, the first is {missing[0]}",
			"Run the insights pipeline from its first node",
		)
	return {life: found[column].to_numpy() for life, column in columns.items()}


@dataclass(frozen=True, slots=True)
class YearTable:
	"""One factor over the years, which rise; arrays of segments x years.

	`excess` are charge-offs beyond those expected, as a share of the loans, not a number of none; `is_enough` is nowhere
	where nothing could be adjusted.
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

	In `same_sign` of them it has the sign that it has over all; `p_value` is of Cochran's test that it is the same.
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
	years, scaled to one standard deviation. Unlike by the year's own order, a factor that does nothing comes out at 0.

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
