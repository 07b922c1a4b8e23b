"""Groups of borrowers that may stand for protected ones, and their approval rates beside the highest.

No protected attribute is in the data, so equal treatment can neither be shown nor ruled out. Proxies are length of
credit history for age, income and housing for wealth, pincodes for where people live (only for audits).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import comb

import numpy as np
import pandas as pd
from scipy.stats import norm

from loantap.features.build import build_features
from loantap.measures.intervals import wilson_bounds
from loantap.policy.findings.segmentations import group_professions
from loantap.policy.money.returns import NO_ESTIMATE, Estimate
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Proxy:
	"""A way to group borrowers; `phrase` says for what, `audit_only`: nothing else may look at it."""

	phrase: str
	read: Callable[[pd.DataFrame], pd.Series]
	audit_only: bool = False

	def group(self, loans: pd.DataFrame) -> pd.Series:
		"""The group of each loan: an ordered categorical of those that have loans."""
		return self.read(loans).cat.remove_unused_categories()


def _categories(name: str) -> Callable[[pd.DataFrame], pd.Series]:
	return lambda loans: loans[name].astype("str").fillna("not stated").astype("category")


def _bands(read: Callable[[pd.DataFrame], pd.Series], bounds: tuple[float, ...]) -> Callable[[pd.DataFrame], pd.Series]:
	labels = [f"below {bounds[0]:,g}"]
	labels += [f"{low:,g} to below {high:,g}" for low, high in pairwise(bounds)]
	labels += [f"{bounds[-1]:,g} and more"]

	def band(loans: pd.DataFrame) -> pd.Series:
		cut = pd.cut(read(loans), [-np.inf, *bounds, np.inf], right=False, labels=labels)
		return cut.cat.add_categories("not stated").fillna("not stated")

	return band


_HISTORY = "credit_history_years"
PROXIES: Mapping[str, Proxy] = {
	"home_ownership": Proxy("Housing, which may stand for wealth", _categories("home_ownership")),
	"credit_history_years": Proxy(
		"Length of the credit history in years, which may stand for age",
		_bands(lambda loans: build_features(loans, [_HISTORY])[_HISTORY], (10, 15, 20, 25)),
	),
	"annual_income": Proxy(
		"Yearly income, which may stand for wealth",
		_bands(lambda loans: loans["annual_income"], (40_000, 60_000, 80_000, 120_000)),
	),
	"employment_years": Proxy(
		"Years in employment, which may stand for age", _bands(lambda loans: loans["employment_years"], (1, 4, 7, 10))
	),
	"pincode": Proxy(
		"Pincode, which may stand for origin; built from the outcome in this data", _categories("pincode"), audit_only=True
	),
}


# Policies are audited by a group of professions too, which no model has as a feature.
POLICY_PROXIES: Mapping[str, Proxy] = {
	"home_ownership": PROXIES["home_ownership"],
	"profession": Proxy(
		"Group of professions, which may stand for sex", lambda loans: group_professions(loans["profession"])
	),
	"annual_income": PROXIES["annual_income"],
	"credit_history_years": PROXIES["credit_history_years"],
	"employment_years": PROXIES["employment_years"],
	"pincode": PROXIES["pincode"],
}


# What can be said of a group's ratio.
FEW = "too few loans to say"
NOBODY = "nobody is approved"
BELOW = "below four fifths"
OPEN = "may lie on either side of four fifths"
ABOVE = "at least four fifths"
MEASURE = "the measure: approved most often"
VERDICTS = (FEW, NOBODY, BELOW, OPEN, ABOVE, MEASURE)


@dataclass(frozen=True, slots=True)
class ApprovalRatios:
	"""The approval rate of each group of one proxy by that of the group approved most often, `is_measure`.

	Missing for a group with too few loans, and where nobody is approved. Intervals (95%) hold all at once.
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


def bound_rate(name: str, hits: pd.Series, of: pd.Series) -> dict[str, pd.Series]:
	"""Bounds of the rate of hits (95%, Wilson), as `_low` and `_high` of its name; missing of none."""
	bounds = wilson_bounds(hits, of.clip(lower=1))
	return {
		f"{name}_{end}": pd.Series(bound, index=of.index).where(of > 0)
		for end, bound in zip(("low", "high"), bounds, strict=True)
	}


def measure_ratios(approved: IntArray, loans: IntArray, min_loans: int) -> ApprovalRatios:
	"""Ratio of each group's approval rate to the highest, with simultaneous 95% intervals.

	The highest is read off the same loans: intervals are those of all pairs of groups at once (Bonferroni). Groups of
	fewer than `min_loans` are left out.
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
