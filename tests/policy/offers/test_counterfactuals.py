import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from loantap.policy.offers.products import AGREES, DIFFERS, TOO_FEW, estimate_counterfactuals
from loantap.policy.offers.schemas import COUNTERFACTUALS
from loantap.portfolio.dictionary import SUB_GRADES
from tests.policy.shipped import options


def make_loans(n=40_000, odds_ratio=1.57):
	"""The worse the grade, the likelier 60 months; the term itself has a known odds ratio."""
	rng = np.random.default_rng(3)
	grade = rng.integers(0, 35, n)
	sixty = rng.random(n) < expit((grade - 20) / 5)
	odds = -3 + 0.08 * grade + np.log(odds_ratio) * sixty
	return pd.DataFrame(
		{
			"is_charged_off": (rng.random(n) < expit(odds)).astype("int8"),
			"term_months": np.where(sixty, 60.0, 36.0),
			"loan_amount": rng.integers(10, 400, n) * 100.0,
			"sub_grade": pd.array(np.array(SUB_GRADES)[grade], dtype="str"),
			"annual_income": rng.lognormal(11, 0.5, n),
			"dti_pct": rng.uniform(0, 35, n),
			"revolving_utilisation_pct": rng.uniform(0, 100, n),
			"open_accounts": rng.integers(1, 30, n).astype(float),
			"total_accounts": rng.integers(30, 60, n).astype(float),
			"public_records": rng.integers(0, 2, n).astype(float),
		}
	)


def estimate(loans):
	return COUNTERFACTUALS.validate(estimate_counterfactuals(loans, options()))


def test_the_grade_takes_away_what_is_selection():
	table = estimate(make_loans())
	term, amount = table.to_dict("records")

	assert term["adjusted_low"] < 1.57 < term["adjusted_high"]
	assert term["unadjusted_low"] > 2
	assert term["finding"] == AGREES
	assert amount["adjusted_low"] < 1 < amount["adjusted_high"]


def test_a_value_in_force_that_the_loans_contradict_is_named():
	table = estimate(make_loans(40_000, 1.0))

	assert table["finding"].iloc[0] == DIFFERS


@pytest.mark.parametrize("n", [0, 500])
def test_few_loans_say_nothing(n):
	table = estimate(make_loans(n, 1.57))

	assert set(table["finding"]) == {TOO_FEW}
	assert table[["unadjusted", "adjusted"]].isna().all(axis=None)


def test_loans_of_one_amount_say_nothing_of_the_amount():
	loans = make_loans().assign(loan_amount=10_000.0)

	table = estimate(loans)
	term, amount = table.to_dict("records")
	assert term["adjusted_low"] < 1.57 < term["adjusted_high"]
	assert amount["finding"] == TOO_FEW
	assert np.isnan([amount["unadjusted"], amount["adjusted_low"]]).all()


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_fact_that_is_the_same_of_all_loans_takes_nothing_away(value):
	loans = make_loans()
	same = loans.assign(public_records=value)

	term = estimate(same).iloc[0]

	expected = estimate(loans).iloc[0]
	assert term["finding"] == AGREES
	assert term["adjusted"] == pytest.approx(expected["adjusted"], rel=0.01)


@pytest.mark.parametrize(("term", "outcome"), [(36.0, 0), (60.0, 1)])
def test_a_term_without_either_outcome_says_nothing(term, outcome):
	loans = make_loans()
	loans.loc[loans["term_months"].eq(term), "is_charged_off"] = outcome

	table = estimate(loans)

	assert set(table["finding"]) == {TOO_FEW}
	assert table[["unadjusted", "adjusted"]].isna().all(axis=None)


def test_the_values_in_force_are_those_of_the_real_sample(real_loans):
	term, amount = estimate(real_loans).to_dict("records")

	assert term["adjusted"] == pytest.approx(1.57, abs=0.03)
	assert amount["adjusted"] == pytest.approx(1.05, abs=0.02)
	assert (term["finding"], amount["finding"]) == (AGREES, AGREES)
	assert term["unadjusted"] == pytest.approx(2.67, abs=0.1)
