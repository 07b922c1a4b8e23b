"""What a policy approved, what became of it, and what it earned; with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from loantap.measures.intervals import Z95
from loantap.model.training.predictions import CROSS_VALIDATION
from loantap.policy.money.cash_flows import PaidLife
from loantap.policy.money.returns import (
	NO_ESTIMATE,
	Estimate,
	ImputedFlows,
	estimate_mean,
	estimate_share,
	yearly_return,
)
from loantap.portfolio.arrays import BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class Outcomes:
	"""Loans of one sample, scenario and paid life; arrays of one length."""

	flows: ImputedFlows
	is_charged_off: BoolArray

	@property
	def profit(self) -> FloatArray:
		"""Imputed profit of each loan if approved, in currency."""
		return self.flows.npv

	@property
	def best(self) -> FloatArray:
		"""Profit of each loan under the oracle, which approves what earns."""
		return np.maximum(self.profit, 0)


def measure_policy(approved: BoolArray, reference: BoolArray, outcomes: Outcomes, min_loans: int) -> dict[str, Any]:
	"""Figures of one policy on at least one loan; `reference` are approvals by grade and term.

	Returns `n`, `approved`, `note` (why figures are missing, or "") and, each with 95% bounds (Wilson for shares, normal
	for means, delta method for ratios), figures that are not a number where they cannot be told: rates and shares are
	fractions, `profit` is per application in currency, `gain_to_...` its paired differences. With fewer than `min_loans`
	approved neither return nor price is told.
	"""
	profit, bad = outcomes.profit, outcomes.is_charged_off
	loans, count, charged_off = len(approved), int(approved.sum()), int(bad.sum())
	is_told = count >= min_loans
	earned = profit * approved
	figures = {
		"approval_rate": estimate_share(count, loans),
		"default_rate_approved": estimate_share(int((bad & approved).sum()), count),
		"default_rate_change": default_rate_change(approved, bad) if is_told else NO_ESTIMATE,
		"profit": estimate_mean(earned),
		"gain_to_approve_all": estimate_mean(earned - profit),
		"gain_to_grade_term_npv": estimate_mean(earned - profit * reference),
		"yearly_return": yearly_return(outcomes.flows.take(approved)) if is_told else NO_ESTIMATE,
		"oracle_share": estimate_ratio(earned, outcomes.best),
		"charge_offs_avoided": estimate_share(int((bad & ~approved).sum()), charged_off),
		"price_per_point": price_point(approved, bad, profit) if is_told else NO_ESTIMATE,
	}
	note = "" if is_told else f"too few loans to say: {count:,} of {loans:,} approved"
	columns: dict[str, Any] = {"n": loans, "approved": count, "note": note}
	for name, figure in figures.items():
		columns |= figure.named(name)
	return columns


def price_point(approved: BoolArray, charged_off: BoolArray, profit: FloatArray) -> Estimate:
	"""What each percentage point of default rate costs, per application, in currency (delta method).

	Profit given up against approving everybody, per point by which the default rate is lower; below 0 where both get
	better. Not a number unless it is lower beyond chance: nothing was bought.
	"""
	change = default_rate_change(approved, charged_off)
	if not change.high < 0:
		return NO_ESTIMATE
	lower, on_lower = -change.value, -_influence_on_change(approved, charged_off)
	given_up = profit * ~approved
	price = given_up.mean() / lower
	half = _half_width((given_up - price * on_lower) / lower)
	return Estimate(price / 100, (price - half) / 100, (price + half) / 100)


def default_rate_change(approved: BoolArray, charged_off: BoolArray) -> Estimate:
	"""How far the default rate of approved loans is from that of all, a fraction (paired; delta method).

	Not a number where all or none are approved.
	"""
	if not 0 < approved.mean() < 1:
		return NO_ESTIMATE
	change = float(charged_off[approved].mean() - charged_off.mean())
	half = _half_width(_influence_on_change(approved, charged_off))
	return Estimate(change, change - half, change + half)


def _influence_on_change(approved: BoolArray, charged_off: BoolArray) -> FloatArray:
	kept = charged_off[approved].mean()
	influence: FloatArray = approved * (charged_off - kept) / approved.mean() - charged_off
	return influence


def estimate_ratio(top: FloatArray, bottom: FloatArray) -> Estimate:
	"""Ratio of two sums over the same loans, by the delta method; not a number over 0."""
	of = float(bottom.mean())
	if of == 0:
		return NO_ESTIMATE
	ratio = float(top.mean()) / of
	half = _half_width((top - ratio * bottom) / of)
	return Estimate(ratio, ratio - half, ratio + half)


def _half_width(influence: FloatArray) -> float:
	if len(influence) < 2:
		return float("nan")
	return Z95 * float(influence.std(ddof=1)) / float(np.sqrt(len(influence)))


def stress_policy(
	approvals: pd.DataFrame, profits: pd.DataFrame, policy: str, scenarios: Sequence[str]
) -> pd.DataFrame:
	"""Profit per application, in currency, of one policy decided in the main scenario: one row per scenario.

	On the loans of the cross-validation, paid loans running for their contract.
	"""
	judged = approvals[approvals["sample"].eq(CROSS_VALIDATION)]
	approved = judged[policy].to_numpy(bool)
	earned = profits.set_index("loan_id").loc[judged["loan_id"]]
	rows = []
	for scenario in scenarios:
		npv = earned[f"npv_{scenario}_{PaidLife.CONTRACTUAL.value}"].to_numpy(float)
		rows.append({"scenario": scenario, **estimate_mean(npv * approved).named("profit")})
	return pd.DataFrame(rows)
