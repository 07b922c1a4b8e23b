import numpy as np
import pandas as pd
import pytest

from loantap.validation.check import compare
from loantap.validation.metrics import find_thresholds, measure
from loantap.validation.money import average, decide, instalment, value_outcomes
from loantap.validation.scorecard import add_points, find_gaps

# Of the PDs .2 and .2 one each is charged off: that pair is tied.
BAD, PDS = np.array([0, 0, 1, 0, 1]), np.array([0.1, 0.2, 0.2, 0.4, 0.8])
SCENARIO = {
	"cost_of_funds_pct": 0,
	"loss_given_default": 0.5,
	"default_at_share_of_term": 0.5,
	"origination_cost_share": 0.01,
	"paid_share_of_term": 1,
}
RULES = {
	"min_margin": 0,
	"default_price": 0.1,
	"review_margin": 0.01,
	"max_probability_of_default": 0.6,
	"max_loan_amount": 20_000,
}


def loan(**columns):
	given = {
		"loan_amount": 1_200.0,
		"interest_rate_pct": 24.0,
		"term_months": 12.0,
		"issue_month": pd.Timestamp("2016-12-01"),
		"probability_of_default": 0.1,
	}
	return pd.DataFrame([given | columns])


def test_figures_of_five_loans():
	assert measure(BAD, PDS, PDS >= 0.4, bins=5) == pytest.approx(
		{
			"default_rate": 0.4,
			"roc_auc": 4.5 / 6,
			"average_precision": (1 + 2 / 4) / 2,
			"ks": 0.5,
			"brier": (0.01 + 0.04 + 0.64 + 0.16 + 0.04) / 5,
			"ece": (0.1 + 0.2 + 0.8 + 0.4 + 0.2) / 5,
			"accuracy": 3 / 5,
			"precision": 1 / 2,
			"recall": 1 / 2,
			"f2": 0.5,
			"f2_decline_all": 2 / 2.6,
			"approval_rate": 3 / 5,
			"default_rate_approved": 1 / 3,
		}
	)


def test_a_loan_drawn_twice_counts_twice():
	times = np.array([2, 0, 1, 1, 1])
	bad, pds = (np.repeat(column, times) for column in (BAD, PDS))

	assert measure(BAD, PDS, PDS >= 0.4, times, 5) == pytest.approx(measure(bad, pds, pds >= 0.4, bins=5))


def test_instalments_with_and_without_interest():
	emi = instalment(np.array([12_000.0, 1_200]), np.array([12.0, 0]), np.array([36.0, 12]))

	assert emi == pytest.approx([398.57, 100], abs=0.005)


@pytest.mark.parametrize(
	("rate", "funds", "as_of", "paid"),
	[
		(0, 0, "", -12),
		(12, 12, "", -12),  # what is earned is what the funds cost
		(12, 12, "2017-03-01", -12),
		(12, 0, "2017-01-01", 12 - 12),  # a month's interest, then settled
	],
)
def test_what_a_loan_is_worth(rate, funds, as_of, paid):
	rows, scenario = loan(interest_rate_pct=float(rate)), SCENARIO | {"cost_of_funds_pct": funds}
	value, lost = value_outcomes(rows, scenario, as_of)

	assert value[0] == pytest.approx(paid)
	if not rate:  # six of twelve instalments, and half of the other 600
		assert lost[0] == pytest.approx(600 + 300 - 1_212)


@pytest.mark.parametrize(
	("changes", "decision"),
	[
		({}, "approve"),
		({"loan_amount": 20_000.0}, "approve"),
		({"loan_amount": 20_001.0}, "refer"),
		({"interest_rate_pct": 60.0, "probability_of_default": 0.3}, "approve"),
		({"interest_rate_pct": 400.0, "probability_of_default": 0.61}, "decline"),
		({"interest_rate_pct": 10.0}, "refer"),  # a margin of 1.8%, of which .1 x PD takes 1%
		({"interest_rate_pct": 6.0}, "decline"),
		({"interest_rate_pct": np.nan}, "refer"),
	],
)
def test_what_the_policy_decides(changes, decision):
	approved, passed = (bool(flags.iloc[0]) for flags in decide(loan(**changes), RULES, SCENARIO))

	assert (approved, passed) == (decision == "approve", decision != "decline")


def test_a_mean_with_its_bounds():
	assert average([10, -20, 30, 0]) == pytest.approx((5, 5 - 20.4, 5 + 20.4), abs=1e-3)


def test_the_threshold_of_the_highest_f2_and_all_that_tie():
	assert find_thresholds(BAD, PDS) == pytest.approx([0.2])
	# Of ten loans the first and the last: 5 / 9 and 10 / 18.
	assert sorted(find_thresholds(np.eye(10)[0] + np.eye(10)[9], np.arange(10, 0, -1) / 10)) == [0.1, 1]


def test_points_of_bands_categories_and_missing_values():
	inf, nan = np.inf, np.nan
	rows = [
		("base points", "the mean loan", nan, nan, nan, 600, 0),
		("dti", "up to 10", -inf, 10, 10, 4, -1),
		("dti", "over 10", 10, inf, 10, 5, -2),
		("dti", "not stated", nan, nan, nan, 0.5, 0),
		("purpose", "small business", nan, nan, nan, -7, 0),
		("purpose", "any other", nan, nan, nan, 1, 0),
	]
	card = pd.DataFrame(rows, columns=["feature", "attribute", "low", "high", "anchor", "points", "points_per_unit"])
	loans = pd.DataFrame({"dti": [8, 10, 13, nan], "purpose": ["small_business", "car", "car", "car"]})

	assert add_points(card, loans).tolist() == [599, 605, 600, 601.5]
	assert find_gaps(card) == []
	for damaged in (card[::-1], card.assign(high=card["low"]), card.assign(low=card["low"] + 1)):
		assert find_gaps(damaged) == ["dti"]


@pytest.mark.parametrize(
	("told", "found", "allowed", "agrees"),
	[
		(0.123456, 0.1234565, (), True),
		(0.123456, 0.123457, (), False),
		([1, 2], [1, 2.1], (0.11, "a reason"), True),
		([1, 2], [2, 1], (0.11, "a reason"), False),
		(None, np.nan, (), True),
		(None, 1, (9, "a reason"), False),
	],
)
def test_what_agrees(told, found, allowed, agrees):
	assert compare("figure", 1, told, found, *allowed).agrees is agrees
