import json

import numpy as np
import pytest

from loantap.policy.lab.backtest import Candidate, FoundBy, backtest, gather_judged_loans
from loantap.policy.lab.recommendations import choose_rules, doubt_rules, read_rules, report_rules
from loantap.policy.money.returns import tabulate_profits
from loantap.portfolio.errors import InputError
from tests.policy.lab.loans import make_loans, make_predictions
from tests.policy.lab.test_rules import make_rule
from tests.policy.shipped import ECONOMICS, make_lab

# Loans with a DTI above 30 are charged off four times in five, whatever their PD says; cheap ones
# hardly ever, and yet they earn less than they cost.
PAYS = make_rule(("dti_pct", ">", 30), rule_id="pays")
CHEAP = make_rule(("interest_rate_pct", "<", 12), rule_id="cheap")
COSTS = make_rule(("dti_pct", "<", 10), rule_id="costs")
FEW = make_rule(("loan_amount", "<", 2_200), rule_id="few")


@pytest.fixture(scope="module")
def tests_of_rules():
	loans = make_loans(3_000, seed=4)
	is_risky, is_cheap = loans["dti_pct"] > 30, loans["interest_rate_pct"] < 12
	pd_ = np.select([is_risky, is_cheap], [0.8, 0.03], 0.15)
	loans["is_charged_off"] = np.random.default_rng(4).binomial(1, pd_)
	predictions = make_predictions(loans)
	profits = tabulate_profits(loans, ECONOMICS)
	judged = gather_judged_loans(loans, profits, predictions, ECONOMICS)
	candidates = [Candidate(rule, FoundBy.HAND) for rule in (COSTS, FEW, CHEAP, PAYS)]
	return backtest(candidates, judged, min_loans=30)


def tell(tests):
	return report_rules(tests, "simulated", ECONOMICS, make_lab())


@pytest.fixture(scope="module")
def report(tests_of_rules):
	return tell(tests_of_rules)


def find(report, rule_id):
	rules = [*report["recommendations"], *report["tested"]]
	return next(rule for rule in rules if rule["id"] == rule_id)


def test_what_pays_is_recommended_the_surest_first_with_its_cause_and_the_rest_is_listed(report):
	assert [(rule["id"], rule["cause"]) for rule in report["recommendations"]] == [("pays", "risk"), ("cheap", "price")]
	assert {rule["id"] for rule in report["tested"]} == {"costs", "few"}
	assert find(report, "costs")["cause"] is None
	assert report["origin"] == "simulated"
	assert report["max_false_rate"] == 0.05
	for rule in report["recommendations"]:
		assert rule["holds"]
		assert rule["profit_change"]["mid"]["capped"]["low"] > 0


def test_a_rule_carries_its_evidence(report):
	rule = find(report, "pays")

	assert rule["rule"] == json.loads(PAYS.model_dump_json())
	assert (rule["action"], rule["found_by"]) == ("decline", "hand")
	assert rule["quoted_on"] == "all judged loans"
	assert rule["n"] == 3_000
	assert rule["default_rate_declined"] == pytest.approx(0.8, abs=0.05)
	assert rule["charge_offs_avoided"] == pytest.approx(0.8 * rule["approvals_lost"], rel=0.05)
	assert set(rule["profit_change"]) == {"mild", "mid", "hard"}
	assert set(rule["samples"]) == {"cv", "test", "out_of_time"}
	assert rule["samples"]["cv"]["n"] + rule["samples"]["test"]["n"] == rule["n"]
	assert rule["after_npv"]["approved"] < rule["approved"] == rule["n"]
	assert rule["holds_after_npv"]


def test_a_rule_that_pays_after_the_policy_alone_is_recommended(tests_of_rules):
	holds = tests_of_rules["holds"] & tests_of_rules["after"].eq("npv")

	found = tell(tests_of_rules.assign(holds=holds))

	assert [rule["id"] for rule in found["recommendations"]] == ["pays"]
	assert not find(found, "pays")["holds"]
	assert find(found, "pays")["cause"] == "risk"


def test_loans_that_may_default_no_more_often_than_the_others_are_priced_too_low(tests_of_rules):
	equal = tests_of_rules.assign(default_rate_kept=tests_of_rules["default_rate_declined_low"])

	found = tell(equal)

	assert {rule["cause"] for rule in found["recommendations"]} == {"price"}


def test_too_few_loans_have_no_profit_and_the_file_stays_json(report):
	few = find(report, "few")

	assert 0 < few["approvals_lost"] < 30
	assert few["profit_change"]["mid"]["capped"] == dict.fromkeys(("value", "low", "high", "adjusted_p_value"))
	assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_recommended_rules_are_read_back_once_each_in_the_order_asked_for(report):
	written = json.loads(json.dumps(report))

	assert read_rules(written, ["cheap", "pays", "cheap"], origin="simulated") == (CHEAP, PAYS)
	assert read_rules(written, [], origin="simulated") == ()


@pytest.mark.parametrize(
	("rule_id", "problem"),
	[
		("costs", "rule 'costs' was tested and did not hold. Recommended are: pays, cheap"),
		("pay", "there is no rule 'pay'; did you mean 'pays'"),
		("xyz", "there is no rule 'xyz'. Recommended are: pays, cheap"),
	],
)
def test_any_other_id_is_refused(report, rule_id, problem):
	with pytest.raises(InputError, match=problem):
		read_rules(report, ["pays", rule_id], origin="simulated")


def test_where_none_held_that_is_said(report):
	with pytest.raises(InputError, match="none, since no rule held"):
		read_rules(report | {"recommendations": []}, ["pays"], origin="simulated")


@pytest.mark.parametrize(
	("written", "problem"),
	[
		({"origin": "real", "recommendations": [{"title": "old"}]}, "rule is missing"),
		({"origin": "real", "recommendations": []}, "tested is missing"),
		([], "form of this version"),
		(
			{
				"origin": "real",
				"tested": [],
				"recommendations": [
					{"rule": {"id": "a", "title": "A", "conditions": [{"column": "pincode", "operator": "in", "value": ["1"]}]}}
				],
			},
			"no rule may read 'pincode'",
		),
	],
)
def test_a_file_of_another_form_is_refused(written, problem):
	with pytest.raises(InputError, match=problem):
		read_rules(written, ["a"], origin="real")


def test_the_rules_named_are_switched_on_and_the_others_watched(report):
	chosen, others = choose_rules(report, ["cheap"], origin="simulated")

	assert [rule.id for rule in chosen] == ["cheap"]
	assert [rule.id for rule in others] == ["pays"]
	assert choose_rules(report, [], origin="simulated")[0] == ()


def test_rules_of_loans_of_another_origin_are_neither(report):
	assert choose_rules(report, [], origin="real") == ((), ())
	with pytest.raises(InputError, match="were tested on simulated loans"):
		choose_rules(report, ["pays"], origin="real")


def test_without_a_file_none_can_be_switched_on():
	assert choose_rules(None, [], origin="real") == ((), ())
	with pytest.raises(InputError, match="does not exist yet, and rules of it are switched"):
		choose_rules(None, ["pays"], origin="real")


def _report_after(holds, change):
	after = {"value": change, "low": change and change - 7, "high": change and change + 7}
	entry = {
		"id": "dti",
		"scenario": "mid",
		"paid_life": "capped",
		"holds_after_npv": holds,
		"after_npv": {"profit_change": {"mid": {"capped": after}}},
	}
	return {"recommendations": [entry | {"id": "sure", "holds_after_npv": True}, entry]}


@pytest.mark.parametrize(
	("change", "said"),
	[
		(6.4, "there it changes imputed profit by +6.4 per application (-0.6 to +13.4)"),
		(None, "too few loans say what it changes there"),
	],
)
def test_a_rule_that_is_not_shown_to_gain_after_expected_npv_says_so(change, said):
	assert doubt_rules(_report_after(False, change), ["dti"]) == [
		"Rule dti gains against approving everybody, and is not shown to gain after expected NPV above 0: " + said
	]


@pytest.mark.parametrize(
	("report", "ids"),
	[
		(_report_after(True, 6.4), ["dti"]),
		(_report_after(False, 6.4), ["other"]),
		(_report_after(False, 6.4), []),
		(None, ["dti"]),
	],
)
def test_there_is_no_doubt_of_others(report, ids):
	assert doubt_rules(report, ids) == []
