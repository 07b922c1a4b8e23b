"""The frontier: what each default rate among approved loans costs in profit and approvals.

A family of policies approves where a score exceeds a hurdle; as it rises, its figures trace a curve. No hurdle is
chosen by outcomes, so that no curve flatters itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from loantap.measures.intervals import Z95, wilson_bounds
from loantap.policy.comparison.comparison import Decided, Slice, measure_slice, slice_portfolio
from loantap.policy.comparison.measures import Outcomes
from loantap.policy.comparison.portfolio import LoanValues
from loantap.policy.comparison.rules import price_cap
from loantap.policy.money.cash_flows import Economics
from loantap.policy.money.returns import name_bounds
from loantap.policy.options import ComparisonOptions
from loantap.portfolio.arrays import FloatArray

FAMILIES = {
	"pd_cutoff": "PD below a cut-off",
	"npv_hurdle": "Expected NPV per unit lent above a hurdle",
	"profit_score_hurdle": "Profit score above a hurdle",
	"capped_default_rate": "Expected default rate at most a cap",
}
# The least share of loans that a curve approves.
_LEAST = 0.05
_POLICY_COLUMNS = (
	"sample",
	"scenario",
	"paid_life",
	"n",
	"approved",
	*name_bounds("approval_rate", "default_rate_approved", "profit", "gain_to_approve_all"),
)


@dataclass(frozen=True, slots=True)
class Curve:
	"""One family; a hurdle is missing where everybody is approved. `add_up` sums over what each one approves."""

	family: str
	hurdles: FloatArray
	add_up: Callable[[FloatArray], FloatArray]


def trace_frontier(part: Slice, options: ComparisonOptions) -> pd.DataFrame:
	"""Curves of all families on one slice: one row per family, hurdle and paid life, as `FRONTIER` has it."""
	curves = list(_trace(part.values, options.frontier_points))
	points = [
		_describe(curve, outcomes).assign(
			family=curve.family,
			label=FAMILIES[curve.family],
			is_policy=False,
			hurdle=curve.hurdles,
			sample=part.sample,
			scenario=part.scenario,
			paid_life=life.value,
		)
		for life, outcomes in part.outcomes.items()
		for curve in curves
	]
	table = pd.concat(points)
	return table[table["approved"].gt(0)]


def place_policies(comparison: pd.DataFrame) -> pd.DataFrame:
	"""The policies that approve at least one loan, as points of the frontier."""
	approving = comparison[comparison["approved"].gt(0)]
	return approving[list(_POLICY_COLUMNS)].assign(
		family=approving["policy"], label=approving["label"], is_policy=True, hurdle=approving["cap"]
	)


def _trace(values: LoanValues, points: int) -> Iterator[Curve]:
	pds = values.probability_of_default
	below = _follow("pd_cutoff", -pds, points)
	yield replace(below, hurdles=-below.hurdles)
	yield _follow("npv_hurdle", values.margin, points)
	yield _follow("profit_score_hurdle", values.profit_score, points)
	if (values.expected > 0).any():
		yield _follow_caps(values, points)


def _follow(family: str, score: FloatArray, points: int) -> Curve:
	order = np.argsort(score)
	rising, loans = score[order], len(score)
	approvals = np.linspace(max(_LEAST * loans, 1), loans, points).round().astype(int)
	# The best loan that is left out sets the hurdle, where there is one.
	hurdles = np.unique([rising[loans - k - 1] if k < loans else -np.inf for k in approvals])[::-1]
	first = np.searchsorted(rising, hurdles, side="right")

	def add_up(column: FloatArray) -> FloatArray:
		sums = np.append(np.cumsum(column[order][::-1])[::-1], 0.0)
		return np.asarray(sums[first], dtype=float)

	return Curve(family, np.where(first > 0, hurdles, np.nan), add_up)


def _follow_caps(values: LoanValues, points: int) -> Curve:
	pds = values.probability_of_default
	safest = float(np.sort(pds)[: max(int(_LEAST * len(pds)), 1)].mean())
	alone = float(pds[values.expected > 0].mean())
	caps = np.linspace(safest, max(alone, safest), points)
	masks = [price_cap(values.expected, pds, cap).approve(values) for cap in caps]

	def add_up(column: FloatArray) -> FloatArray:
		return np.array([column[mask].sum() for mask in masks])

	return Curve("capped_default_rate", caps, add_up)


def _describe(curve: Curve, outcomes: Outcomes) -> pd.DataFrame:
	profit, loans = outcomes.profit, len(outcomes.profit)
	approved = curve.add_up(np.ones(loans))
	bad = curve.add_up(outcomes.is_charged_off.astype(float))
	earned, squared = curve.add_up(profit), curve.add_up(profit**2)
	# What rounding leaves of the loans left out where there are none.
	is_short = approved < loans
	given_up, its_squares = ((profit.sum() - earned) * is_short, (profit @ profit - squared) * is_short)
	columns: dict[str, object] = {"n": loans, "approved": approved.astype("int64")}
	rates = {
		"approval_rate": (approved, np.full_like(approved, loans)),
		"default_rate_approved": (bad, np.maximum(approved, 1)),
	}
	for name, (hits, of) in rates.items():
		low, high = wilson_bounds(hits, of)
		columns |= {name: hits / of, f"{name}_low": low, f"{name}_high": high}
	sums = {"profit": (earned, squared), "gain_to_approve_all": (-given_up, its_squares)}
	for name, (total, of_squares) in sums.items():
		mean = total / loans
		variance = np.maximum(of_squares / loans - mean**2, 0) * loans / max(loans - 1, 1)
		half = Z95 * np.sqrt(variance / loans)
		columns |= {name: mean, f"{name}_low": mean - half, f"{name}_high": mean + half}
	return pd.DataFrame(columns)


@dataclass(frozen=True, slots=True)
class Comparison:
	"""Policies (`POLICY_COMPARISON`), and the curves with them as points (`FRONTIER`)."""

	policies: pd.DataFrame
	frontier: pd.DataFrame


def compare_policies(decided: Decided, economics: Economics, options: ComparisonOptions, min_loans: int) -> Comparison:
	"""Figures of every policy and the frontier, on every slice, for both paid lives."""
	policies, curves = [], []
	for part in slice_portfolio(decided, economics):
		policies.append(measure_slice(part, options, min_loans))
		curves.append(trace_frontier(part, options))
	table = pd.concat(policies, ignore_index=True)
	return Comparison(table, pd.concat([*curves, place_policies(table)], ignore_index=True))
