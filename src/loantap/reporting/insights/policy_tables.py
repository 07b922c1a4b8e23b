"""What each policy would have earned, in tables."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from loantap.reporting.figures.interval_plot import FEW_LOANS
from loantap.reporting.formatting import (
	NOTHING,
	PageTable,
	count,
	list_rows,
	money,
	percent,
	whole_percent,
	with_interval,
)

_MAIN_SAMPLE = "cv"
# How long loans that were paid back are taken to have run, in a caption.
PAID_LIVES = {
	"contractual": "paid loans to the end of their term",
	"capped": "paid loans no longer than observed (prepaid)",
}
_TOO_FEW = "too few loans to say"
_HOW_TO_READ = (
	"Against all, against grade by term: differences on the same loans. Price: the profit given up for each point by "
	"which the default rate is lower than that of all loans; below 0 both are better; a dash where the rate is not "
	"shown to be lower. Of the best possible: of what the oracle earns; a dash where the policy loses."
)
_FOUND_BY = {"hand": "hand", "search": "the search"}
_MEANINGS = {
	"Approve everybody": "Makes every loan, as was done: all of these loans were made.",
	"F2 threshold": "Declines above the PD that catches most loans that default; a missed one "
	"weighs more than a good one declined.",
	"PD cut-off": "Declines above the one PD that would have earned most on other loans.",
	"Top tenth by PD declined": "Declines the tenth of the highest PDs.",
	"NPV by grade and term": "Approves a grade and term that earned on other loans; uses no model.",
	"Default rate capped": "Approves what is expected to earn most while the expected default rate "
	"of approved loans stays at the cap.",
	"Expected NPV above 0": "Approves a loan whose expected net present value, at its own PD, rate "
	"and term, is above zero: the policy in force, without its referrals and limits.",
	"Profit score": "The same with a score that learns profit directly from other loans.",
	"Oracle": "Knows the outcome: the best possible, which nobody can reach.",
}
_TARGETS = {
	"review_capacity": "Applications that a person decides on, at most",
	"min_approval_rate": "Applications approved or referred, at least",
	"max_default_rate": "Default rate of approved loans, at most",
	"max_concentration": "Principal in one state, at most; addresses are made up",
}
_ASSUMPTIONS = {
	"cost_of_funds_pct": "Cost of funds, a year",
	"loss_given_default": "Loss given default (LGD)",
	"default_at_share_of_term": "Default, at this share of the term",
	"origination_cost_share": "Cost of making the loan, of the principal",
	"paid_share_of_term": "Paid loans settled, at this share of the term",
}


def tabulate_policies(policies: pd.DataFrame, scenario: str, paid_life: str, *, is_folded: bool = False) -> PageTable:
	"""What each policy would have earned in one scenario, in cross-validation."""
	shown = policies[
		policies["sample"].eq(_MAIN_SAMPLE) & policies["scenario"].eq(scenario) & policies["paid_life"].eq(paid_life)
	]
	loans = int(shown["n"].max()) if len(shown) else 0
	rows = [
		[
			str(row["label"]),
			with_interval(row, "approval_rate", whole_percent),
			with_interval(row, "default_rate_approved", percent) if row["approved"] >= FEW_LOANS else NOTHING,
			with_interval(row, "profit", money),
			with_interval(row, "gain_to_approve_all", money),
			with_interval(row, "gain_to_grade_term_npv", money),
			with_interval(row, "yearly_return", percent),
			with_interval(row, "charge_offs_avoided", whole_percent),
			with_interval(row, "price_per_point", money),
			with_interval(row, "oracle_share", whole_percent) if row["oracle_share"] >= 0 else NOTHING,
		]
		for row in list_rows(shown)
	]
	headers = (
		"Policy",
		"Approved",
		"Default rate of approved",
		"Profit per application",
		"Against all",
		"Against grade by term",
		"Yearly return before funds",
		"Charge-offs avoided",
		"Price of a point of default",
		"Of the best possible",
	)
	# The open table stands under a chart in which another scenario may be chosen.
	what = "Scenario" if is_folded else "Table of scenario"
	return PageTable(
		f"{what} {scenario}, {PAID_LIVES[paid_life]}, n = {count(loans)} applications",
		headers,
		rows,
		"" if is_folded else _HOW_TO_READ,
		is_folded=is_folded,
	)


def explain_policies() -> PageTable:
	"""What each policy does, in a sentence."""
	return PageTable("What each policy does", ("Policy", "What it does"), list(_MEANINGS.items()), is_folded=True)


def tabulate_targets(checks: pd.DataFrame, policy: str) -> PageTable:
	"""Whether the policy in force, by id and version, reaches what its rules were chosen to reach."""
	rows = [
		[
			_TARGETS[str(row["target"])],
			percent(row["limit"]),
			with_interval(row, "reached", percent),
			_judge_target(row),
			count(row["n"]),
		]
		for row in list_rows(checks)
	]
	headers = ("Target", "Limit", "Reached", "Verdict", "n")
	reached = {str(row["target"]): float(row["reached"]) for row in list_rows(checks)}
	note = (
		"On loans of the past, by PDs of models that did not see them. A target holds, or is "
		"missed, where the whole 95% interval lies on one side of its limit. Policies are compared "
		"without the referrals and limits of the one in force."
	)
	if {"review_capacity", "min_approval_rate"} <= reached.keys():
		referred = reached["review_capacity"]
		approved = reached["min_approval_rate"] - referred
		note += f" With them it approves {percent(approved)} and refers {percent(referred)}."
	return PageTable(f"Targets of the policy in force, {policy}", headers, rows, note)


def _judge_target(row: Mapping[str, Any]) -> str:
	if not row["holds"]:
		return "missed"
	is_near = row["reached_low"] <= row["limit"] <= row["reached_high"]
	return "not told apart from its limit" if is_near else "holds"


def tabulate_rules(rules: pd.DataFrame) -> PageTable:
	"""What each rule of `list_rules` would have declined and changed."""
	after = rules[rules["after"].eq("npv")].set_index("rule_id")
	rows = [
		[
			str(row["title"]),
			_FOUND_BY[str(row["found_by"])],
			count(row["approvals_lost"]),
			percent(row["charge_offs_avoided_share"]),
			with_interval(row, "default_rate_declined", percent),
			with_interval(row, "profit_change", money),
			str(row["verdict"]),
			with_interval(dict(after.loc[row["rule_id"]]), "profit_change", money),
			str(after.loc[row["rule_id"], "verdict"]),
			count(row["n"]),
		]
		for row in list_rows(rules[rules["after"].eq("approve_all")])
	]
	headers = (
		"Rule",
		"Written by",
		"Declines",
		"Charge-offs avoided",
		"Default rate of declined",
		"Profit per application, rule alone",
		"Verdict",
		"After the NPV policy",
		"Verdict",
		"n",
	)
	note = (
		"Profit is imputed, in one scenario with paid loans no longer than observed; brackets hold 95% intervals. "
		"recommendations.json holds the same for all scenarios, in a form that scoring applies."
	)
	return PageTable("Rules tried, the surest gain first", headers, rows, note, is_folded=True)


def list_rules(rule_tests: pd.DataFrame, scenario: str, paid_life: str) -> pd.DataFrame:
	"""Tests by `policy.lab.backtest` in one scenario, each with its verdict, the surest gain alone first."""
	kept = rule_tests[
		rule_tests["sample"].eq("all") & rule_tests["scenario"].eq(scenario) & rule_tests["paid_life"].eq(paid_life)
	]
	verdicts = [_judge(row) for row in list_rows(kept)]
	alone = kept[kept["after"].eq("approve_all")].set_index("rule_id")["profit_change_low"]
	return (
		kept.assign(verdict=verdicts, surest=kept["rule_id"].map(alone))
		.sort_values("surest", ascending=False, kind="stable")
		.drop(columns="surest")
	)


def tabulate_scenarios(economics: Mapping[str, Any]) -> PageTable:
	"""The assumptions of each scenario, their allowed range and its source."""
	scenarios = economics["scenarios"]
	rows = [
		[
			_ASSUMPTIONS[name],
			*(_tell_share(name, scenario[name]) for scenario in scenarios.values()),
			f"{_tell_share(name, allowed['low'])} to {_tell_share(name, allowed['high'])}",
			allowed["source"],
		]
		for name, allowed in economics["ranges"].items()
	]
	headers = ("Assumption", *scenarios, "Range allowed", "Where it comes from")
	return PageTable("What lending is assumed to cost", headers, rows)


def _tell_share(name: str, value: float) -> str:
	return f"{value if name.endswith('_pct') else 100 * value:g}%"


def _judge(row: Mapping[str, Any]) -> str:
	if not row["is_enough"]:
		return _TOO_FEW
	if row["holds"]:
		return "gains"
	if row["profit_change_high"] < 0:
		return "loses"
	return "no gain shown, given how many were tried"
