"""What a fairer policy costs: the least profit lost until the groups of a proxy are approved alike.

It is a measurement, not a proposal: a hurdle that depends on a borrower's group is itself unlawful in many places.

Each group has a hurdle of expected NPV of its own, such that the lowest approval rate is the wanted share of the
highest. No hurdle depends on outcomes: none flatters the imputed profit lost on the same loans.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from loantap.policy.fairness.proxies import POLICY_PROXIES, measure_ratios
from loantap.policy.money.cash_flows import VALUED_BY, Economics, PaidLife, expected_npv
from loantap.policy.money.returns import estimate_mean, estimate_share, name_profit
from loantap.policy.options import FairnessOptions
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray

# Highest approval rates that are tried.
_TRIED = 401


@dataclass(frozen=True, slots=True)
class Queue:
	"""Loans in the order in which a policy would approve them, group by group.

	`order`: places of the loans, by group: approved before declined, each from the highest expected NPV; `starts`: where
	in it each group begins, and its end; `approved` is per group, `value` the expected NPV of its first 0, 1, 2 ... loans
	together.
	"""

	codes: IntArray
	order: IntArray
	starts: IntArray
	approved: IntArray
	value: tuple[FloatArray, ...]

	@classmethod
	def line_up(cls, codes: IntArray, approved: BoolArray, expected: FloatArray) -> Queue:
		"""The queue of the groups 0, 1, 2 ... of at least a loan each."""
		order = np.lexsort((-expected, ~approved, codes))
		loans = np.bincount(codes)
		starts = np.concatenate([[0], np.cumsum(loans)])
		value = tuple(np.concatenate([[0.0], np.cumsum(expected[order[first:end]])]) for first, end in pairwise(starts))
		return cls(codes, order, starts, np.bincount(codes, approved).astype("int64"), value)

	@property
	def loans(self) -> IntArray:
		"""Loans of each group."""
		return np.diff(self.starts)

	def approve(self, counts: IntArray) -> BoolArray:
		"""Which loans are approved when each group's first so many are."""
		place = np.arange(len(self.order)) - self.starts[self.codes[self.order]]
		approves = np.empty(len(self.order), dtype=bool)
		approves[self.order] = place < counts[self.codes[self.order]]
		return approves


def equalise(queue: Queue, is_bound: BoolArray, ratio: float) -> IntArray:
	"""How many of each group to approve so that approval rates reach a ratio at the least cost.

	For a given highest rate each group goes to the nearest rate allowed, so one number is searched for. Groups that are
	not `is_bound` stay. `ratio`, of the lowest to the highest rate, is reached to the nearest loan.
	"""
	if not is_bound.any():
		return queue.approved
	loans = queue.loans
	rates = (queue.approved / loans)[is_bound]
	highest = np.linspace(rates.min(), rates.max(), _TRIED)[:, None]
	least = np.ceil(np.round(ratio * highest * loans, 6))
	most = np.maximum(np.floor(np.round(highest * loans, 6)), least)
	tried = np.clip(queue.approved, least, most).astype("int64")
	tried = np.where(is_bound, tried, queue.approved)
	profit = sum(value[count] for value, count in zip(queue.value, tried.T, strict=True))
	best: IntArray = tried[int(np.argmax(profit))]
	return best


def price_fairness(
	rows: pd.DataFrame, profits: pd.DataFrame, economics: Economics, options: FairnessOptions
) -> pd.DataFrame:
	"""What it costs to bring the worst approval ratio of each proxy to each target.

	The policy is that of expected NPV in the main scenario. One row per scenario, paid life, proxy (but those for the
	audit) and target, missing for the policy as it is; see `FAIRNESS_FRONTIER`. Figures are missing with fewer than two
	large groups, or nobody approved.
	"""
	imputed = rows[["loan_id"]].merge(profits, on="loan_id", how="left", validate="one_to_one")
	pd_, amount, rate, term = (rows[name].to_numpy() for name in VALUED_BY)
	expected = expected_npv(pd_, amount, rate, term, economics.main_scenario)
	found: list[dict[str, Any]] = []
	for name, proxy in POLICY_PROXIES.items():
		if proxy.audit_only:
			continue
		codes = proxy.group(rows).cat.codes.to_numpy("int64")
		queue = Queue.line_up(codes, rows["npv"].to_numpy(), expected)
		about = {"proxy": name, "phrase": proxy.phrase}
		for step in _sweep(queue, rows, options):
			told = about | step.figures
			found += [told | lost for lost in _lose(step.dropped, imputed, economics)]
	return pd.DataFrame(found)


@dataclass(frozen=True, slots=True)
class _Step:
	"""`dropped` is, per loan, 1 where only the policy as it is approves it, -1 where only this."""

	figures: dict[str, Any]
	dropped: IntArray


def _sweep(queue: Queue, rows: pd.DataFrame, options: FairnessOptions) -> Iterator[_Step]:
	is_bound = queue.loans >= options.min_loans
	bad = rows["is_charged_off"].to_numpy() == 1
	base = queue.approve(queue.approved)
	for target in (np.nan, *options.target_ratios):
		counts = queue.approved if np.isnan(target) else equalise(queue, is_bound, target)
		approves = queue.approve(counts)
		dropped = base.astype("int64") - approves
		worst = measure_ratios(counts, queue.loans, options.min_loans).worst
		figures = {
			"target_ratio": target,
			"n": len(rows),
			**worst.named("worst_ratio"),
			"approved": int(approves.sum()),
			"approval_rate": float(approves.mean()),
			"approved_besides": int((dropped < 0).sum()),
			"declined_besides": int((dropped > 0).sum()),
			**estimate_share(int(bad[approves].sum()), int(approves.sum())).named("default_rate_approved"),
		}
		yield _Step(figures, dropped)


def _lose(dropped: IntArray, imputed: pd.DataFrame, economics: Economics) -> Iterator[dict[str, Any]]:
	for scenario in economics.scenarios:
		for paid_life in PaidLife:
			lost = dropped * imputed[name_profit(scenario, paid_life)].to_numpy()
			yield {"scenario": scenario, "paid_life": paid_life.value, **estimate_mean(lost).named("lost_per_application")}
