"""All policies on the same loans: whom they approve, and their figures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from loantap.policy.comparison.measures import Outcomes, measure_policy
from loantap.policy.comparison.portfolio import (
	Lesson,
	LoanValues,
	join_portfolio,
	plan_lessons,
	prepare_features,
	score_profits,
	value_loans,
)
from loantap.policy.comparison.rules import (
	CAPPED,
	GRADE_TERM,
	LABELS,
	NPV,
	ORACLE,
	POLICIES,
	decide_loans,
	make_rules,
	name_cap,
)
from loantap.policy.money.cash_flows import Economics, PaidLife
from loantap.policy.money.returns import estimate_mean, impute_flows
from loantap.policy.options import ComparisonOptions
from loantap.portfolio.arrays import BoolArray


@dataclass(frozen=True, slots=True)
class Decided:
	"""The judged portfolio under every policy; `values` by scenario, `approved` by scenario and policy."""

	portfolio: pd.DataFrame
	lessons: list[Lesson]
	values: Mapping[str, LoanValues]
	approved: Mapping[str, Mapping[str, BoolArray]]


@dataclass(frozen=True, slots=True)
class Slice:
	"""The loans of one sample in one scenario; `approved` by policy."""

	sample: str
	scenario: str
	values: LoanValues
	approved: Mapping[str, BoolArray]
	outcomes: Mapping[PaidLife, Outcomes]


def decide_portfolio(
	predictions: pd.DataFrame, loans: pd.DataFrame, splits: pd.DataFrame, economics: Economics, options: ComparisonOptions
) -> Decided:
	"""Whether each policy, learnt on other loans (see `plan_lessons`), approves each judged loan in each scenario."""
	portfolio = join_portfolio(predictions, loans, splits)
	lessons = plan_lessons(portfolio)
	values = {name: value_loans(portfolio, s) for name, s in economics.scenarios.items()}
	features = prepare_features(loans)[portfolio["place"].to_numpy()]
	principal = portfolio["loan_amount"].to_numpy(float)
	scores = score_profits(features, principal, values, lessons, options.profit_score_penalty)
	values = {name: of.with_profit_score(scores[name]) for name, of in values.items()}
	rules = make_rules(options)
	approved = {name: decide_loans(of, lessons, rules) for name, of in values.items()}
	return Decided(portfolio, lessons, values, approved)


def list_approvals(decided: Decided, economics: Economics) -> pd.DataFrame:
	"""Whom each policy approves in the main scenario: one row per sample and loan."""
	approved = decided.approved[economics.main]
	ids = decided.portfolio[["loan_id", "sample"]]
	return ids.assign(**{policy: approved[policy] for policy in POLICIES})


def slice_portfolio(decided: Decided, economics: Economics) -> Iterator[Slice]:
	"""Every sample in every scenario."""
	samples = decided.portfolio["sample"]
	bad = decided.portfolio["is_charged_off"].to_numpy() == 1
	for scenario, assumed in economics.scenarios.items():
		flows = {life: impute_flows(decided.portfolio, assumed, economics, life) for life in PaidLife}
		for sample in samples.unique():
			rows = samples.eq(sample).to_numpy()
			yield Slice(
				sample,
				scenario,
				decided.values[scenario].take(rows),
				{name: flags[rows] for name, flags in decided.approved[scenario].items()},
				{life: Outcomes(of.take(rows), bad[rows]) for life, of in flows.items()},
			)


def measure_slice(part: Slice, options: ComparisonOptions, min_loans: int) -> pd.DataFrame:
	"""Figures of every policy on one slice: one row per policy and paid life, as `POLICY_COMPARISON` has it."""
	records = []
	for life, outcomes in part.outcomes.items():
		for policy, (label, cap) in label_policies(options).items():
			# The oracle knows how long each loan runs too.
			approved = outcomes.profit > 0 if policy == ORACLE else part.approved[policy]
			figures = measure_policy(approved, part.approved[GRADE_TERM], outcomes, min_loans)
			beside_npv = outcomes.profit * approved - outcomes.profit * part.approved[NPV]
			figures |= estimate_mean(beside_npv).named("gain_to_npv")
			if cap is not None:
				figures["note"] = _say_infeasible(part.values, cap) or figures["note"]
			of_policy = {"policy": policy, "label": label, "cap": cap}
			of_slice = {"sample": part.sample, "scenario": part.scenario, "paid_life": life.value}
			records.append(of_policy | of_slice | figures)
	return pd.DataFrame(records)


def label_policies(options: ComparisonOptions) -> dict[str, tuple[str, float | None]]:
	"""What pages call each policy, and its cap, if any, in order."""
	caps = {name_cap(cap, options): cap for cap in options.caps}
	labels: dict[str, tuple[str, float | None]] = {}
	for policy in make_rules(options):
		cap = caps.get(policy)
		words = LABELS[policy if cap is None else CAPPED]
		labels[policy] = (words if cap is None else f"{words} at {100 * cap:g}%", cap)
	return labels


def _say_infeasible(values: LoanValues, cap: float) -> str:
	lowest = float(values.probability_of_default.min())
	if lowest <= cap:
		return ""
	return f"the cap of {100 * cap:g}% cannot be kept: the lowest PD of {len(values):,} loans is {100 * lowest:.1f}%"
