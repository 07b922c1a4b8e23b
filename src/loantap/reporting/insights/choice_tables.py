"""Policies side by side, how alike they approve groups, and their offers, in tables."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from loantap.reporting.figures.interval_plot import FEW_LOANS
from loantap.reporting.formatting import (
	CURRENCY,
	NOTHING,
	PageTable,
	count,
	decimal,
	list_rows,
	money,
	one_decimal,
	pair,
	percent,
	two_decimals,
	whole_percent,
	with_interval,
)

_POLICIES = {
	"approve_all": "Approve everybody",
	"f2_threshold": "F2 threshold",
	"pd_cutoff": "PD cut-off",
	"bands": "Top tenth by PD declined",
	"grade_term_npv": "NPV by grade and term",
	"capped_default_rate": "Default rate capped",
	"npv": "Expected NPV above 0",
	"profit_score": "Profit score",
	"oracle": "Oracle (knows the outcome)",
}


def find_least_ratios(audit: pd.DataFrame) -> dict[str, dict[str, Any]]:
	"""Of each policy, the row of the group with the least ratio of approval rates."""
	lent_on = audit[audit["approval_ratio"].lt(1) & ~audit["audit_only"].astype(bool)]
	least = lent_on.sort_values("approval_ratio", kind="stable").drop_duplicates("policy")
	return {str(row["policy"]): row for row in list_rows(least)}


def tabulate_fairness(audit: pd.DataFrame, shown_cap: float) -> PageTable:
	"""The least ratio of approval rates of each proxy under each policy; `shown_cap` a fraction."""
	names_of = _POLICIES | {"capped_default_rate": f"Default rate capped at {100 * shown_cap:g}%"}
	compared = audit[audit["approval_ratio"].notna() & ~audit["audit_only"].astype(bool)]
	proxies = compared["proxy"].unique()
	rows = []
	for policy, of_policy in compared.groupby("policy", sort=False):
		cells = [names_of.get(str(policy), str(policy).replace("_", " "))]
		for proxy in proxies:
			groups = of_policy[of_policy["proxy"].eq(proxy)]
			groups = groups[groups["approval_ratio"].lt(1)]
			if groups.empty:
				cells.append("1.00")
				continue
			worst = list_rows(groups.nsmallest(1, "approval_ratio"))[0]
			cells.append(with_interval(worst, "approval_ratio", two_decimals))
		rows.append(cells)
	names = [str(compared.loc[compared["proxy"].eq(p), "phrase"].iloc[0]) for p in proxies]
	loans = int(audit.groupby(["policy", "proxy"])["n"].sum().max()) if len(audit) else 0
	note = (
		"Approval rate of the group approved least often, as a share of that of the group approved most often. The "
		"four-fifths rule asks for .8. Intervals hold for all groups of a proxy at once."
	)
	return PageTable(f"Approval ratios, n = {count(loans)} loans", ("Policy", *names), rows, note)


def tabulate_groups(audit: pd.DataFrame, policy: str = "npv") -> PageTable:
	"""What one policy does to each group of borrowers."""
	shown = audit[audit["policy"].eq(policy) & ~audit["audit_only"].astype(bool)]
	rows = [
		[
			f"{str(row['phrase']).partition(',')[0]}: {row['group']}",
			count(row["n"]),
			with_interval(row, "approval_rate", percent),
			with_interval(row, "approval_ratio", two_decimals),
			with_interval(row, "true_positive_rate", percent),
			with_interval(row, "false_positive_rate", percent),
			with_interval(row, "observed_to_expected", two_decimals),
			str(row["verdict"]),
		]
		for row in list_rows(shown)
	]
	headers = (
		"Group",
		"n",
		"Approved",
		"To the group approved most",
		"Charge-offs declined",
		"Paid loans declined",
		"Charge-offs, observed to expected",
		"Verdict",
	)
	return PageTable(f"Each group under {_POLICIES[policy]}", headers, rows, is_folded=True)


def tabulate_fairness_price(frontier: pd.DataFrame, scenario: str, paid_life: str) -> PageTable:
	"""What it costs the NPV policy to approve the groups of a proxy alike."""
	shown = frontier[
		frontier["scenario"].eq(scenario) & frontier["paid_life"].eq(paid_life) & frontier["target_ratio"].notna()
	]
	rows = [
		[
			str(row["phrase"]),
			one_decimal(row["target_ratio"]),
			with_interval(row, "worst_ratio", two_decimals),
			with_interval(row, "lost_per_application", one_decimal),
			with_interval(row, "default_rate_approved", percent),
		]
		for row in list_rows(shown)
	]
	headers = ("Proxy", "Ratio asked", "Ratio reached", "Profit lost per application", "Default rate of approved")
	note = (
		"A measurement, not a proposal: hurdles that depend on a borrower's group are themselves "
		"unlawful in many places. Profit is imputed."
	)
	return PageTable(
		f"The least profit that a fairer policy costs, scenario {scenario}", headers, rows, note, is_folded=True
	)


_MAIN_SAMPLE = "cv"


def tabulate_choices(
	policies: pd.DataFrame,
	fairness: pd.DataFrame,
	stressed: pd.DataFrame,
	scenario: str,
	scenarios: Sequence[str],
	later: str,
) -> PageTable:
	"""The policies that a committee chooses from, each in every scenario and out of time.

	`stressed` is what expected NPV, decided at the costs of `scenario`, earns in each; `later` tells which loans were
	judged out of time.
	"""
	outlooks = {
		scenario: (_MAIN_SAMPLE, scenario, "contractual"),
		"prepaid": (_MAIN_SAMPLE, scenario, "capped"),
		**{name: (_MAIN_SAMPLE, name, "contractual") for name in scenarios if name != scenario},
		"out of time": ("out_of_time", scenario, "contractual"),
	}
	known = {(row["sample"], row["scenario"], row["paid_life"], row["policy"]): row for row in list_rows(policies)}
	ratios = find_least_ratios(fairness)
	rows = []
	for name in _order_choices(policies):
		main = known[(*outlooks[scenario], name)]
		ratio = ratios.get(name)
		rows.append(
			[
				str(main["label"]),
				percent(main["approval_rate"]),
				with_interval(main, "default_rate_approved", percent),
				*(_tell_outlook(known.get((*outlook, name)), main) for outlook in outlooks.values()),
				with_interval(main, "gain_to_approve_all", money),
				with_interval(main, "gain_to_npv", money),
				_tell_least_ratio(name, ratio, fairness),
			]
		)
	rows.append(_tell_stressed(rows[-1], stressed, scenario, list(outlooks)))
	n_later = policies.loc[policies["sample"].eq("out_of_time"), "n"].max()
	told_later = f"Out of time, n = {count(n_later)}: {later}, each judged by a model of earlier loans. " if later else ""
	audited = fairness.groupby(["policy", "proxy"])["n"].sum().max() if len(fairness) else 0
	headers = (
		"Policy",
		"Approved",
		"Default rate of approved",
		*(f"Profit, {name}" for name in outlooks),
		f"Against all, {scenario}",
		f"Against NPV, {scenario}",
		"Least approval ratio",
	)
	note = (
		f"Imputed profit per application, in {CURRENCY}. All of these loans were made, so to approve everybody is what "
		f"was done. Prepaid: scenario {scenario}, paid loans no longer than they were observed. In each scenario a "
		"policy decides at its costs: where it then approves another share of the loans, that share stands before the "
		f"profit. The last row decides once, at the costs of {scenario}, and pays those of each scenario. "
		f"{told_later}Against all, against NPV: differences on the same loans. Least approval ratio, n = "
		f"{count(audited)} (the loans held out too): of the group of borrowers approved least often to the one "
		"approved most often; the four-fifths rule asks for 0.80."
	)
	return PageTable(f"Each policy in every scenario, n = {count(policies['n'].max())} applications", headers, rows, note)


def _tell_stressed(npv: Sequence[str], stressed: pd.DataFrame, scenario: str, outlooks: Sequence[str]) -> list[str]:
	cells = [f"The same, decided at {scenario} costs", *npv[1:]]
	for row in list_rows(stressed[stressed["scenario"].ne(scenario)]):
		cells[3 + outlooks.index(row["scenario"])] = with_interval(row, "profit", money)
	return cells


def _tell_outlook(row: Mapping[str, Any] | None, main: Mapping[str, Any]) -> str:
	if row is None:
		return NOTHING
	profit = with_interval(row, "profit", money)
	if row["approval_rate"] == main["approval_rate"]:
		return profit
	return f"{whole_percent(row['approval_rate'])}: {profit}"


def _tell_least_ratio(policy: str, least: Mapping[str, Any] | None, fairness: pd.DataFrame) -> str:
	if least is not None:
		return with_interval(least, "approval_ratio", two_decimals)
	# Where no group is approved less often than another, all are approved alike.
	return "1.00" if fairness["policy"].eq(policy).any() else "not computed"


def _order_choices(policies: pd.DataFrame) -> list[str]:
	by_name = policies.drop_duplicates("policy").set_index("policy")["cap"]
	caps = by_name[by_name.index.str.startswith("capped_default_rate")].sort_values()
	return ["approve_all", "bands", *caps.index, "npv"]


def tabulate_products(products: pd.DataFrame) -> PageTable:
	"""Who would get which amount, term and rate."""
	rows = [
		[
			pair(row, "segmentation", "segment"),
			count(row["n"]),
			with_interval(row, "as_asked", percent) if row["n"] >= FEW_LOANS else NOTHING,
			f"{count(row['amount_low'])} to {count(row['amount_high'])}",
			decimal(row["mean_term_months"], 0),
			f"{decimal(row['rate_pct_low'], 1)} to {decimal(row['rate_pct_high'], 1)}%",
			percent(row["margin_expected"]),
			with_interval(row, "margin_imputed", percent) if row["n"] >= FEW_LOANS else NOTHING,
			str(row["finding"]),
		]
		for row in list_rows(products)
	]
	headers = (
		"Segment",
		"n",
		"Offered as asked for",
		"Amount",
		"Mean term, months",
		"Rate",
		"Margin priced, of principal",
		"Margin earned",
		"Against the price",
	)
	note = (
		"Amount and rate: from the lowest to the highest tenth of first offers. Margin earned: "
		"imputed, at the rate of the offer. The verdict allows for the number of segments, so it "
		"asks for more than the 95% interval shows. Of fewer than 30 loans no share is told."
	)
	return PageTable("Products by segment", headers, rows, note, is_folded=True)


def tabulate_counterfactuals(effects: pd.DataFrame) -> PageTable:
	"""How far a shorter or smaller loan lowers the odds of default."""
	rows = [
		[
			str(row["effect"]),
			with_interval(row, "unadjusted", two_decimals),
			with_interval(row, "adjusted", two_decimals),
			decimal(row["in_force"], 2),
			str(row["finding"]),
		]
		for row in list_rows(effects)
	]
	headers = ("Effect", "Odds of default, all loans", "Given the sub-grade", "Used in offers", "Check")
	note = "A model's estimates, not an experiment's: a person decides on every offer that rests on them."
	loans = int(effects["n"].max()) if len(effects) else 0
	return PageTable(f"Odds ratios of default by term and amount, n = {count(loans)} loans", headers, rows, note)


def tabulate_concentration(concentration: pd.DataFrame, most: int = 5) -> PageTable:
	"""The regions that hold most of the principal and of the expected loss."""
	top = concentration.groupby("measure", sort=False).head(most + 1)
	rows = [
		[
			pair(row, "measure", "region"),
			count(row["n"]),
			with_interval(row, "share", percent),
			percent(row["limit"]),
			str(row["finding"]),
		]
		for row in list_rows(top)
	]
	headers = ("Region", "n", "Share, or Herfindahl index", "Limit", "Finding")
	note = (
		"LoanTap's addresses are made up, so nothing follows from these shares. The limit is one "
		"of the portfolio, never of a person's score."
	)
	return PageTable("Concentration by state", headers, rows, note, is_folded=True)
