import numpy as np
import pandas as pd
import pytest

from loantap.measures.intervals import Z95, wilson_bounds
from loantap.policy.comparison.measures import (
	Outcomes,
	default_rate_change,
	estimate_ratio,
	measure_policy,
	price_point,
	stress_policy,
)
from loantap.policy.money.cash_flows import PaidLife
from loantap.policy.money.returns import ImputedFlows, impute_flows, yearly_return
from tests.policy.comparison.loans import make_options
from tests.policy.shipped import ECONOMICS

# Five loans earn 10, 20, 30, -40 and -60; the last two are charged off.
PROFIT = np.array([10.0, 20, 30, -40, -60])
BAD = np.array([False, False, False, True, True])
SOME = np.array([True, True, False, True, False])


def outcomes(profit=PROFIT, bad=BAD):
	ones = np.ones(len(profit))
	return Outcomes(ImputedFlows(100 * ones, 10 * ones, 12 * ones, 0 * ones, profit, ones), bad)


def test_figures_of_five_loans_worked_by_hand():
	reference = np.array([True, False, True, True, False])

	figures = measure_policy(SOME, reference, outcomes(), min_loans=1)

	assert (figures["n"], figures["approved"], figures["note"]) == (5, 3, "")
	assert figures["approval_rate"] == 0.6
	assert figures["default_rate_approved"] == pytest.approx(1 / 3)
	assert figures["charge_offs_avoided"] == 0.5
	# (10 + 20 - 40) / 5; everybody earns -40 / 5; the reference (10 + 30 - 40) / 5.
	assert figures["profit"] == pytest.approx(-2)
	assert figures["gain_to_approve_all"] == pytest.approx(6)
	assert figures["gain_to_grade_term_npv"] == pytest.approx(-2)
	# The oracle earns 60.
	assert figures["oracle_share"] == pytest.approx(-10 / 60)


def test_shares_have_wilson_intervals_and_differences_paired_ones():
	figures = measure_policy(SOME, SOME, outcomes(), min_loans=1)

	for name, hits, of in (("approval_rate", 3, 5), ("default_rate_approved", 1, 3), ("charge_offs_avoided", 1, 2)):
		assert (figures[f"{name}_low"], figures[f"{name}_high"]) == pytest.approx(wilson_bounds(hits, of))
	# Left out: 30 and -60.
	difference = np.array([0, 0, -30, 0, 60.0])
	half = Z95 * difference.std(ddof=1) / np.sqrt(5)
	assert figures["gain_to_approve_all_high"] == pytest.approx(6 + half)
	assert figures["gain_to_grade_term_npv_low"] == figures["gain_to_grade_term_npv_high"] == 0


def test_of_too_few_loans_neither_return_nor_price_is_told():
	figures = measure_policy(SOME, SOME, outcomes(), min_loans=4)

	assert figures["note"] == "too few loans to say: 3 of 5 approved"
	assert np.isnan([figures[name] for name in ("yearly_return", "price_per_point", "default_rate_change")]).all()
	assert not np.isnan(figures["default_rate_approved"])
	assert measure_policy(SOME, SOME, outcomes(), min_loans=3)["note"] == ""


def test_approving_nobody_or_one_loan_is_no_error():
	nobody = measure_policy(np.zeros(5, bool), SOME, outcomes(), min_loans=1)
	alone = outcomes(PROFIT[:1], BAD[:1])
	one = measure_policy(np.ones(1, bool), np.ones(1, bool), alone, min_loans=1)

	assert nobody["profit"] == 0
	assert np.isnan(nobody["default_rate_approved"])
	assert nobody["charge_offs_avoided"] == 1
	assert one["profit"] == 10
	assert np.isnan(one["profit_low"])
	assert np.isnan(one["charge_offs_avoided"])


def loans_of_four_kinds(tens):
	"""Of each ten loans, whether each is approved, whether it is charged off, and its profit: 5, or -10.

	One is approved and charged off, four are approved and good, three left out and charged off, two left out and good.
	"""
	approved = np.repeat([True, True, False, False], np.array([1, 4, 3, 2]) * tens)
	bad = np.repeat([True, False, True, False], np.array([1, 4, 3, 2]) * tens)
	return approved, bad, np.where(bad, -10.0, 5.0)


# The default rate falls from 40 to 20%, 20 points. Of 100 loans, left out are 30 bad (-300) and 20 good (100): 200 are
# gained, 2 per application. A point costs -2 / 20 = -.1, a rate of one -10. Influences on the difference of the rates,
# in the order of the four kinds: .6 - .8 / .5 = -1, -.4 + .2 / .5 = 0, .6 and -.4; on the profit given up: 2, 2, -8 and
# 7. Together, with 10 times the former and over .2: -40, 10, -10 and 15. Their squares add up to 27,500, over 99
# 277.78, with the root 16.67; 1.96 times that over the root of 100 is 3.267, per point .03267.
def test_the_change_of_the_default_rate_is_that_of_the_same_loans():
	approved, bad, _ = loans_of_four_kinds(10)

	change = default_rate_change(approved, bad)

	# From 40 to 20%. Influences on it are those above with the other sign: 1, 0, -.6 and .4, whose
	# squares add up to 24; over 99 .2424, with the root .4924.
	assert change.value == pytest.approx(-0.2)
	assert change.high - change.value == pytest.approx(Z95 * 0.4924 / 10, rel=1e-3)
	assert change.value - change.low == pytest.approx(change.high - change.value)
	assert np.isnan(default_rate_change(np.ones(100, bool), bad).value)


def test_a_point_of_default_rate_has_its_price():
	price = price_point(*loans_of_four_kinds(10))

	assert price.value == pytest.approx(-0.1)
	assert (price.low, price.high) == pytest.approx((-0.13267, -0.06733), abs=1e-5)


# The influences above on the difference of the rates have a standard error of sqrt(4.8 / 19 / 20) =
# .112 among 20 loans and of sqrt(7.2 / 29 / 30) = .091 among 30; .2 is 1.78 and 2.2 of these.
@pytest.mark.parametrize(
	("approved", "bad", "is_told"),
	[
		(*loans_of_four_kinds(2)[:2], False),
		(*loans_of_four_kinds(3)[:2], True),
		(np.ones(100, bool), np.arange(100) < 40, False),
		(np.zeros(100, bool), np.arange(100) < 40, False),
		(np.arange(100) % 2 == 0, np.arange(100) < 40, False),  # the same default rate
		(np.arange(100) < 50, np.arange(100) < 40, False),  # a higher one
		(np.arange(100) < 50, np.zeros(100, bool), False),
	],
)
def test_a_price_is_told_where_the_default_rate_is_lower_beyond_chance(approved, bad, is_told):
	assert np.isnan(price_point(approved, bad, np.where(bad, -10.0, 5.0)).value) != is_told


@pytest.mark.parametrize(("min_loans", "is_told"), [(50, True), (51, False)])
def test_a_price_is_told_of_enough_approved_loans(min_loans, is_told):
	approved, bad, profit = loans_of_four_kinds(10)

	figures = measure_policy(approved, approved, outcomes(profit, bad), min_loans)

	assert figures["price_per_point"] == pytest.approx(-0.1 if is_told else np.nan, nan_ok=True)


def test_a_ratio_has_the_spread_of_its_resamples():
	rng = np.random.default_rng(6)
	bottom = rng.exponential(2, 3_000)
	top = 0.5 * bottom + rng.normal(0, 1, 3_000)

	ratio = estimate_ratio(top, bottom)

	drawn = [rng.integers(0, 3_000, 3_000) for _ in range(400)]
	resampled = [top[d].mean() / bottom[d].mean() for d in drawn]
	assert ratio.value == pytest.approx(top.sum() / bottom.sum())
	assert (ratio.high - ratio.low) / (2 * Z95) == pytest.approx(np.std(resampled), rel=0.12)
	assert np.isnan(estimate_ratio(top, np.zeros(3_000)).value)
	assert estimate_ratio(top[:2], bottom[:2]).low < estimate_ratio(top[:2], bottom[:2]).high
	assert np.isnan(estimate_ratio(top[:1], bottom[:1]).low)


def test_a_return_is_that_of_the_approved_loans_alone():
	loans = pd.DataFrame(
		{
			"loan_amount": 1_000.0,
			"interest_rate_pct": [8.0, 20.0],
			"term_months": 36.0,
			"issue_month": pd.Timestamp("2013-01-01"),
			"is_charged_off": [0, 1],
		}
	)
	flows = impute_flows(loans, ECONOMICS.main_scenario, ECONOMICS, PaidLife.CONTRACTUAL)
	paid = np.array([True, False])

	figures = measure_policy(paid, paid, Outcomes(flows, ~paid), min_loans=1)

	assert figures["yearly_return"] == pytest.approx(yearly_return(flows.take(paid)).value)
	assert figures["yearly_return"] > 0


@pytest.mark.parametrize(
	("changed", "message"),
	[({"shown_cap": 0.2}, "shown_cap: 0.2 is not one of the caps"), ({"caps": (0.17, 0.17)}, "caps: one is given twice")],
)
def test_caps_that_do_not_go_together_are_refused(changed, message):
	with pytest.raises(ValueError, match=message):
		make_options(**changed)


def test_what_was_approved_once_earns_what_each_scenario_pays():
	approvals = pd.DataFrame(
		{"loan_id": ["c", "a", "b", "a"], "sample": ["cv", "cv", "cv", "out_of_time"], "npv": [False, True, True, False]}
	)
	profits = pd.DataFrame(
		{
			"loan_id": ["a", "b", "c"],
			"npv_mid_contractual": [30.0, 60, -90],
			"npv_hard_contractual": [-30.0, 0, -900],
			"npv_hard_capped": [7.0, 7, 7],
		}
	)

	stressed = stress_policy(approvals, profits, "npv", ["mid", "hard"]).set_index("scenario")

	# c is declined; three applications.
	assert stressed["profit"].to_dict() == pytest.approx({"mid": 30, "hard": -10})
	assert stressed.loc["hard", "profit_low"] < -10 < stressed.loc["hard", "profit_high"]
