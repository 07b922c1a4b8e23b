import pandas as pd
import pytest

from loantap.reporting.formatting import decimal, with_interval
from loantap.reporting.insights.choice_tables import tabulate_choices, tabulate_fairness, tabulate_groups
from loantap.reporting.insights.finding_tables import tabulate_finding_years, tabulate_findings
from loantap.reporting.insights.policy_tables import list_rules, tabulate_policies, tabulate_rules, tabulate_targets
from tests.spread import spread, spread_all

NAN = float("nan")


def tell(row):
	return " | ".join(row)


def make_policies():
	rows = [
		{
			"policy": policy,
			"label": label,
			"sample": sample,
			"scenario": scenario,
			"paid_life": paid_life,
			"n": 1_000,
			"approved": 620,
			"cap": NAN,
			**spread_all(
				approval_rate=(0.62, 0.02),
				price_per_point=(13, 5),
				gain_to_grade_term_npv=(43, 25),
				gain_to_npv=(-7, 21),
				default_rate_approved=(0.2, 0.02),
				profit=(595.4, 100),
				gain_to_approve_all=(gain, 30),
				yearly_return=(0.1, 0.01),
				charge_offs_avoided=(0.28, 0.02),
				oracle_share=(0.43, 0.05),
			),
		}
		for policy, label, gain in (("npv", "Expected NPV above 0", 105.2), ("all", "All", 0.0))
		for sample in ("cv", "test")
		for scenario in ("mild", "mid")
		for paid_life in ("contractual", "capped")
	]
	return pd.DataFrame(rows)


@pytest.mark.parametrize(
	("row", "said"),
	[
		({"x": 1.04, "x_low": 0.5, "x_high": 1.5}, "1.0 [0.5, 1.5]"),
		({"x": 1.04, "x_low": NAN, "x_high": 1.5}, "1.0"),
		({"x": NAN, "x_low": 0.5, "x_high": 1.5}, "\N{EN DASH}"),
		({"x": None, "x_low": None, "x_high": None}, "\N{EN DASH}"),
	],
)
def test_a_figure_is_told_with_its_interval(row, said):
	assert with_interval(row, "x", lambda value: decimal(value, 1)) == said


def test_a_policy_is_told_on_the_loans_of_cross_validation_in_one_scenario():
	table = tabulate_policies(make_policies(), "mid", "capped")

	assert table.caption == (
		"Table of scenario mid, paid loans no longer than observed (prepaid), n = 1,000 applications"
	)
	assert [row[0] for row in table.rows] == ["Expected NPV above 0", "All"]
	assert table.rows[0][1:5] == ["62% [60%, 64%]", "20.0% [18.0%, 22.0%]", "+595 [+495, +695]", "+105 [+75, +135]"]
	assert tabulate_policies(make_policies(), "hard", "capped").rows == []
	# A default rate of few loans and a share below zero are not told.
	few = make_policies().assign(approved=29, oracle_share=-0.02)
	row = tabulate_policies(few, "mid", "capped").rows[0]
	assert (row[2], row[-1]) == ("\N{EN DASH}", "\N{EN DASH}")


def test_segments_that_differ_are_shown_the_riskiest_first_and_no_audit_among_them():
	findings = pd.DataFrame(
		[
			{
				"phrase": "grade",
				"segment": segment,
				"role": role,
				"loans": 100,
				"finding": found,
				"stability": "stable",
				"segmentation": "grade",
				**spread_all(default_rate=(0.2, 0.1), effect=(effect, 1), profit_contractual=(-366, 10), profit_capped=(1, 1)),
			}
			for segment, role, found, effect in (
				("A", "lender", "fewer defaults", -11.9),
				("F", "lender", "more defaults", 12.0),
				("C", "lender", "no difference shown", 0.0),
				("11650", "audit", "more defaults", 74.8),
			)
		]
	)
	years = pd.DataFrame(
		[
			{"segmentation": "grade", "segment": "A", "year": year, **spread("effect", effect, 1)}
			for year, effect in ((2013, -12.0), (2014, NAN))
		]
	)

	table = tabulate_findings(findings)
	by_year = tabulate_finding_years(findings, years)

	assert [row[0] for row in table.rows] == ["grade: F", "grade: A"]
	assert table.rows[1][3:5] == ["-11.9 [-12.9, -10.9]", "-366 [-376, -356]"]
	assert "3 segments were tried" in table.note
	assert by_year.headers[1:] == ("2013",)
	assert [row[1] for row in by_year.rows] == ["\N{EN DASH}", "-12.0 [-13.0, -11.0]"]


def test_the_least_ratio_of_each_proxy_is_told_for_each_policy():
	audit = pd.DataFrame(
		[
			{
				"policy": policy,
				"proxy": proxy,
				"phrase": proxy,
				"audit_only": proxy == "pincode",
				"group": group,
				"n": 50,
				**spread("approval_ratio", ratio, 0.1),
			}
			for policy, low in (("npv", 0.6), ("approve_all", 1.0), ("capped_default_rate", 0.5))
			for proxy in ("income", "pincode")
			for group, ratio in (("a", 1.0), ("b", low), ("c", (1 + low) / 2))
		]
	)

	table = tabulate_fairness(audit, 0.17)

	assert table.headers == ("Policy", "income")
	assert [tell(row) for row in table.rows] == [
		"Expected NPV above 0 | 0.60 [0.50, 0.70]",
		"Approve everybody | 1.00",
		"Default rate capped at 17% | 0.50 [0.40, 0.60]",
	]
	assert "n = 150 loans" in table.caption


def make_rule_tests():
	return pd.DataFrame(
		[
			{
				"rule_id": rule,
				"title": rule.upper(),
				"found_by": found_by,
				"after": after,
				"sample": sample,
				"scenario": scenario,
				"paid_life": "capped",
				"n": 5_239,
				"approvals_lost": 86,
				"charge_offs_avoided": 42,
				"charge_offs_avoided_share": 0.042,
				"holds": holds,
				"is_enough": is_enough,
				**spread_all(default_rate_declined=(0.488, 0.1), profit_change=(change, 10)),
			}
			for rule, found_by, after, change, holds, is_enough in (
				("dear", "hand", "approve_all", -98, False, True),
				("dear", "hand", "npv", -105, False, True),
				("dti", "search", "approve_all", 22.7, True, True),
				("dti", "search", "npv", NAN, False, False),
			)
			for sample in ("all", "test")
			for scenario in ("mid", "hard")
		]
	)


def test_rules_are_listed_in_one_scenario_on_all_loans_the_surest_gain_first():
	rules = list_rules(make_rule_tests(), "mid", "capped")

	assert rules[["rule_id", "after", "verdict"]].values.tolist() == [
		["dti", "approve_all", "gains"],
		["dti", "npv", "too few loans to say"],
		["dear", "approve_all", "loses"],
		["dear", "npv", "loses"],
	]
	assert list_rules(make_rule_tests(), "mid", "contractual").empty
	first, second = (tell(row) for row in tabulate_rules(rules).rows)
	assert first == (
		"DTI | the search | 86 | 4.2% | 48.8% [38.8%, 58.8%] | +23 [+13, +33] | gains | – | too few loans to say | 5,239"
	)
	assert "| -98 [-108, -88] | loses | -105 [-115, -95] | loses |" in second


def make_targets():
	return pd.DataFrame(
		[
			{"target": "review_capacity", "limit": 0.05, "n": 4_715, "holds": True, **spread("reached", 0.048, 0.006)},
			{"target": "max_default_rate", "limit": 0.2, "n": 2_924, "holds": False, **spread("reached", 0.222, 0.015)},
		]
	)


def test_targets_are_told_with_what_is_reached():
	table = tabulate_targets(make_targets(), "npv 2026-11")

	assert table.caption == "Targets of the policy in force, npv 2026-11"
	assert [tell(row) for row in table.rows] == [
		"Applications that a person decides on, at most | 5.0% | 4.8% [4.2%, 5.4%] | not told apart from its limit | 4,715",
		"Default rate of approved loans, at most | 20.0% | 22.2% [20.7%, 23.7%] | missed | 2,924",
	]
	assert "With them" not in table.note
	floor = make_targets().head(1).assign(target="min_approval_rate", reached=0.64)
	whole = tabulate_targets(pd.concat([make_targets(), floor]), "npv 2026-11")
	assert whole.note.endswith("With them it approves 59.2% and refers 4.8%.")
	clear = make_targets().assign(limit=[0.0541, 0.2369])
	assert [row[3] for row in tabulate_targets(clear, "npv").rows] == ["holds", "missed"]


def make_choices():
	known = make_policies()
	others = {
		"approve_all": ("Everybody", NAN),
		"bands": ("Bands", NAN),
		"capped_default_rate": ("Cap 17%", 0.17),
		"capped_default_rate_15": ("Cap 15%", 0.15),
	}
	npv = known[known["policy"].eq("npv")]
	copies = [npv.assign(policy=name, label=label, cap=cap) for name, (label, cap) in others.items()]
	return pd.concat([npv, *copies], ignore_index=True)


STRESSED = pd.DataFrame(
	[{"scenario": name, **spread("profit", profit, 10)} for name, profit in (("mid", 1), ("mild", 2))]
)


def test_choices_stand_in_one_order_in_every_scenario_with_the_group_approved_least():
	fairness = pd.DataFrame(
		[
			{
				"policy": policy,
				"proxy": "income",
				"phrase": "income",
				"group": group,
				"n": 300,
				"audit_only": is_audit,
				**spread("approval_ratio", ratio, 0.1),
			}
			for policy, group, ratio, is_audit in (
				("npv", "a", 0.5, False),
				("npv", "b", 0.7, False),
				("npv", "c", 0.1, True),
				("approve_all", "a", 1.0, False),
			)
		]
	)

	table = tabulate_choices(make_choices(), fairness, STRESSED, "mid", ["mild", "mid"], "")

	assert [row[0] for row in table.rows] == [
		"Everybody",
		"Bands",
		"Cap 15%",
		"Cap 17%",
		"Expected NPV above 0",
		"The same, decided at mid costs",
	]
	assert table.headers[3:7] == ("Profit, mid", "Profit, prepaid", "Profit, mild", "Profit, out of time")
	assert table.rows[-1][-1] == "0.50 [0.40, 0.60]"
	assert table.headers[-2] == "Against NPV, mid"
	assert table.rows[2][-2] == "-7 [-28, +14]"
	# Nothing was compared out of time, and only two policies were audited.
	assert table.rows[0][6] == "\N{EN DASH}"
	assert [row[-1] for row in table.rows[:2]] == ["1.00", "not computed"]
	assert "n = 900 (the loans held out too)" in table.note
	assert "Out of time" not in table.note


def test_the_share_approved_stands_before_the_profit_where_it_is_another():
	choices = make_choices()
	is_mild = choices["scenario"].eq("mild")
	choices.loc[is_mild, "approval_rate"] = 0.98
	none = pd.DataFrame(columns=["policy", "proxy", "n", "approval_ratio", "audit_only"])

	table = tabulate_choices(choices, none, STRESSED, "mid", ["mild", "mid"], "36-month loans")

	assert table.rows[0][3:6] == ["+595 [+495, +695]", "+595 [+495, +695]", "98%: +595 [+495, +695]"]
	assert "36-month loans, each judged by a model of earlier loans." in table.note
	# What is decided once approves one share, and is paid for in each scenario.
	assert table.rows[-1][3:6] == ["+595 [+495, +695]", "+595 [+495, +695]", "+2 [-8, +12]"]


@pytest.mark.parametrize(
	("change", "is_enough", "verdict"),
	[
		(-9.9, True, "no gain shown, given how many were tried"),
		(-10.1, True, "loses"),
		(-10.1, False, "too few loans to say"),
	],
)
def test_a_rule_loses_where_the_whole_interval_does(change, is_enough, verdict):
	tests = make_rule_tests().assign(holds=False, is_enough=is_enough, **spread("profit_change", change, 10))

	assert set(list_rules(tests, "mid", "capped")["verdict"]) == {verdict}


def make_audit():
	"""One is for the audit only."""
	return pd.DataFrame(
		[
			{
				"policy": policy,
				"proxy": "income",
				"phrase": "Yearly income, which may stand for wealth",
				"group": "below 40,000",
				"audit_only": is_audit,
				"n": 500,
				"verdict": "below",
				**spread_all(
					approval_rate=(0.4, 0.1),
					approval_ratio=(0.52, 0.1),
					true_positive_rate=(0.3, 0.1),
					false_positive_rate=(0.2, 0.1),
					observed_to_expected=(1.04, 0.1),
				),
			}
			for policy, is_audit in (("npv", False), ("npv", True), ("bands", False))
		]
	)


def test_each_group_is_told_under_the_policy_and_no_audit_among_them():
	(row,) = tabulate_groups(make_audit()).rows

	assert tell(row) == (
		"Yearly income: below 40,000 | 500 | 40.0% [30.0%, 50.0%] | 0.52 [0.42, 0.62] | 30.0% [20.0%, 40.0%] | "
		"20.0% [10.0%, 30.0%] | 1.04 [0.94, 1.14] | below"
	)
