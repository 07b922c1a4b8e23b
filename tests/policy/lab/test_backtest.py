from itertools import product

import numpy as np
import pandas as pd
import pytest

from loantap.policy.lab.backtest import (
	After,
	Candidate,
	FoundBy,
	JudgedLoans,
	Sample,
	backtest,
	control_false_claims,
	estimate_change,
	gather_judged_loans,
	select_rows,
	split_in_halves,
)
from loantap.policy.money.cash_flows import VALUED_BY, PaidLife, expected_npv
from loantap.policy.money.returns import estimate_mean, tabulate_profits
from loantap.policy.schemas import RULE_TESTS
from loantap.portfolio.errors import InputError
from tests.policy.lab.loans import make_loans, make_predictions
from tests.policy.lab.test_rules import make_rule
from tests.policy.shipped import ECONOMICS

DTI_30 = make_rule(("dti_pct", ">", 30), rule_id="dti_30")


@pytest.fixture
def judged():
	"""Ten loans, the first four with a DTI above 30; the policy approves the even ones."""
	dti = np.array([40.0] * 4 + [10.0] * 6)
	bad = np.array([1, 1, 1, 0, 1, 0, 0, 0, 0, 0], dtype=bool)
	gain = np.where(bad, 500.0, -100.0)
	everybody = np.arange(10)
	approved = {"mid": everybody % 2 == 0}
	return JudgedLoans(
		columns={"dti_pct": dti},
		is_charged_off=bad,
		gains={("mid", PaidLife.CONTRACTUAL): gain, ("mid", PaidLife.CAPPED): gain * 2},
		is_searched=np.array([True] * 3 + [False] * 7),
		samples=(Sample("all", everybody, approved),),
	)


def backtest_dti(loans, min_loans=1, found_by=FoundBy.HAND):
	return backtest([Candidate(DTI_30, found_by)], loans, min_loans)


def pick(tests, after, paid_life="contractual"):
	rows = tests[tests["after"].eq(after.value) & tests["paid_life"].eq(paid_life)]
	assert len(rows) == 1
	return rows.iloc[0]


def test_a_rule_is_compared_with_approving_all_and_after_the_policy_with_what_it_approves(judged):
	tests = backtest_dti(judged)

	row = pick(tests, After.APPROVE_ALL)
	assert row[["n", "approved", "charged_off"]].tolist() == [10, 10, 4]
	assert row[["approvals_lost", "charge_offs_avoided"]].tolist() == [4, 3]
	assert row["approvals_lost_share"] == 0.4
	assert row["charge_offs_avoided_share"] == 0.75
	assert row["default_rate_declined"] == 0.75
	# Wilson: (.75 + 3.8415 / 8 -+ 1.96 sqrt(.75 x .25 / 4 + 3.8415 / 64)) / (1 + 3.8415 / 4).
	bounds = row[["default_rate_declined_low", "default_rate_declined_high"]].tolist()
	assert bounds == pytest.approx([0.3006, 0.9544], abs=1e-4)
	assert row["default_rate_kept"] == pytest.approx(1 / 6)
	assert row["profit_change"] == 140  # (3 x 500 - 100) / 10
	assert pick(tests, After.APPROVE_ALL, "capped")["profit_change"] == 280

	row = pick(tests, After.NPV)
	assert row[["n", "approved", "charged_off"]].tolist() == [10, 5, 3]
	assert row[["approvals_lost", "charge_offs_avoided"]].tolist() == [2, 2]
	assert row["default_rate_kept"] == pytest.approx(1 / 3)
	assert row["profit_change"] == 100


def test_a_rule_that_was_found_is_quoted_on_the_other_half(judged):
	tests = backtest_dti(judged, found_by=FoundBy.SEARCH)

	row = pick(tests, After.APPROVE_ALL)
	assert row[["n", "approvals_lost", "charge_offs_avoided"]].tolist() == [7, 1, 0]
	assert row["profit_change"] == pytest.approx(-100 / 7)
	# Wilson's interval of none out of one: from 0 to 1.96^2 / (1 + 1.96^2).
	assert row["default_rate_declined_low"] == pytest.approx(0)
	assert row["default_rate_declined_high"] == pytest.approx(0.7935, abs=1e-4)


def test_of_a_rule_that_declines_few_nothing_is_said_about_profit(judged):
	row = pick(backtest_dti(judged, 5), After.APPROVE_ALL)

	assert not row["is_enough"]
	assert not row["holds"]
	assert row[["profit_change", "profit_change_low", "p_value", "adjusted_p_value"]].isna().all()
	assert row["approvals_lost"] == 4
	assert pick(backtest_dti(judged, 4), After.APPROVE_ALL)["is_enough"]


def test_a_rule_that_declines_nobody_divides_by_nothing(judged):
	nobody = make_rule(("dti_pct", ">", 50), rule_id="nobody")
	everybody = make_rule(("dti_pct", ">", 0), rule_id="everybody")

	tests = backtest([Candidate(r, FoundBy.HAND) for r in (nobody, everybody)], judged, 1)

	RULE_TESTS.validate(tests)
	none = tests[tests["rule_id"].eq("nobody")]
	assert none.filter(like="default_rate_declined").isna().all(axis=None)
	assert not none["holds"].any()
	assert tests[tests["rule_id"].eq("everybody")]["default_rate_kept"].isna().all()


def test_the_interval_is_that_of_all_applications():
	gains = np.array([500.0, -100.0, 700.0])
	everybody = np.concatenate([gains, np.zeros(40)])

	found, expected = estimate_change(gains, 43), estimate_mean(everybody)

	assert (found.value, found.low, found.high) == pytest.approx((expected.value, expected.low, expected.high))
	assert np.isnan(estimate_change(np.zeros(0), 0).value)


def test_the_rows_of_one_outlook_are_chosen_by_all_that_makes_it():
	names = ("scenario", "paid_life", "after", "sample")
	outlooks = list(product(("mid", "hard"), PaidLife, After, ("all", "test")))
	table = pd.DataFrame(outlooks, columns=names).assign(rule_id=[*map(str, range(16))])

	chosen = select_rows(table, scenario="hard", paid_life="capped", after=After.NPV)

	assert chosen[[*names]].to_numpy().tolist() == [["hard", "capped", "npv", "all"]]
	assert chosen.index.tolist() == [str(outlooks.index(("hard", "capped", "npv", "all")))]
	late = select_rows(table, scenario="mid", paid_life="capped", after=After.APPROVE_ALL, sample="test")
	assert late["sample"].tolist() == ["test"]


def test_p_values_are_adjusted_by_the_number_of_rules():
	adjusted = control_false_claims(np.array([0.04, 0.01, np.nan, 0.02, 0.9]))

	# By hand: .01 x 4, .02 x 3, then .04 x 2, and .9.
	assert adjusted[[1, 3, 0, 4]] == pytest.approx([0.04, 0.06, 0.08, 0.9])
	assert np.isnan(adjusted[2])
	assert control_false_claims(np.array([0.6, 0.6])).tolist() == [1, 1]
	assert control_false_claims(np.array([0.03, 0.0299])) == pytest.approx([0.0598, 0.0598])


# Of 50 declined loans so many gain one and the others lose one; 150 are kept. 32 are 14 above
# nothing, with a standard error of sqrt(200 (50 - 14^2 / 200) / 199) = 7.02: p = .023. 33 are 16
# above, with one of 7.00: p = .0111. The limit is .05 / 4 = .0125.
@pytest.mark.parametrize(("winning", "p_value", "holds"), [(32, 0.023, False), (33, 0.0111, True)])
def test_a_rule_holds_where_chance_explains_it_once_in_eighty(winning, p_value, holds):
	gains = np.repeat([1.0, -1.0, 0.0], [winning, 50 - winning, 150])
	loans = JudgedLoans(
		columns={"dti_pct": np.repeat([40.0, 10.0], [50, 150])},
		is_charged_off=gains > 0,
		gains={("mid", paid_life): gains for paid_life in PaidLife},
		is_searched=np.zeros(200, dtype=bool),
		samples=(Sample("all", np.arange(200), {"mid": np.ones(200, dtype=bool)}),),
	)

	row = pick(backtest_dti(loans, 30), After.APPROVE_ALL)

	assert row["adjusted_p_value"] == pytest.approx(p_value, abs=1e-4)
	assert row["profit_change_low"] > 0
	assert row["holds"] == holds


def test_loans_meet_their_profits_and_their_pds():
	# Loans so small that many earn less than 1.
	loans = make_loans(400, seed=1).assign(loan_amount=lambda table: table["loan_amount"] / 1e3)
	predictions = make_predictions(loans, seed=1)
	profits = tabulate_profits(loans, ECONOMICS).sample(frac=1, random_state=2)

	judged = gather_judged_loans(loans, profits, predictions, ECONOMICS)

	named = profits.set_index("loan_id")["npv_hard_capped"][loans["loan_id"]]
	assert judged.gains["hard", PaidLife.CAPPED].tolist() == (-named).tolist()
	assert judged.is_charged_off.tolist() == loans["is_charged_off"].eq(1).tolist()
	assert [sample.name for sample in judged.samples] == ["all", "cv", "test", "out_of_time"]
	everybody, late = judged.sample("all"), judged.sample("out_of_time")
	assert sorted(everybody.places) == list(range(400))
	row = predictions[predictions["sample"].eq("out_of_time")].merge(loans, on="loan_id")
	npv = expected_npv(*(row[name] for name in VALUED_BY), ECONOMICS.scenarios["mid"])
	assert late.approved["mid"].tolist() == (npv > 0).tolist()
	assert 0 < late.approved["mid"].mean() < 1
	assert loans["loan_id"].to_numpy()[late.places].tolist() == row["loan_id"].tolist()


def test_predictions_of_another_portfolio_are_refused():
	loans = make_loans(100, seed=1)
	profits = tabulate_profits(loans, ECONOMICS)

	with pytest.raises(InputError, match=" 6 of 130 loans of the predictions"):
		gather_judged_loans(loans.iloc[3:], profits, make_predictions(loans, late=30), ECONOMICS)
	with pytest.raises(InputError, match=" 1 of 100 loans of the imputed profits"):
		gather_judged_loans(loans, profits.iloc[1:], make_predictions(loans), ECONOMICS)


def test_a_loan_stays_on_its_side_when_the_portfolio_grows():
	ids = pd.Series([f"{number:016x}-1" for number in range(4_000)], dtype="str")

	side = split_in_halves(ids)

	assert abs(side.mean() - 0.5) < 0.03
	assert split_in_halves(ids[1_000:]).tolist() == side[1_000:].tolist()
