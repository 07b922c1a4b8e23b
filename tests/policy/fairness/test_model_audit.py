import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from loantap.measures.intervals import Z95, wilson_bounds
from loantap.model.validation.evaluation import EvaluationOptions
from loantap.policy.fairness.model_audit import MIN_LOANS, audit_groups, measure_approvals
from loantap.policy.fairness.proxies import PROXIES, measure_ratios, ratio_bounds
from loantap.policy.money.returns import NO_ESTIMATE, Estimate

OPTIONS = EvaluationOptions(seed=3, as_of="2026-11-23", resamples=400, calibration_bins=10)
# Loans, of these charged off; approved among the paid, approved among the charged off.
OWN, RENT, FEW = (400, 100, 240, 40), (200, 80, 60, 10), (50, 10, 40, 10)


def make_loans(**groups):
	parts = []
	for name, (loans, bad, good_in, bad_in) in groups.items():
		good = loans - bad
		approved = [place < good_in for place in range(good)] + [n < bad_in for n in range(bad)]
		part = {"group": name, "is_charged_off": [0] * good + [1] * bad, "approved": approved}
		parts.append(pd.DataFrame(part))
	table = pd.concat(parts, ignore_index=True)
	return (table[["is_charged_off"]], table["group"].astype("category"), table["approved"].to_numpy())


@pytest.fixture(scope="module")
def approvals():
	return measure_approvals(*make_loans(OWN=OWN, RENT=RENT, FEW=FEW), OPTIONS)


def test_figures_of_three_groups_worked_by_hand(approvals):
	assert approvals["approval_rate"][["OWN", "RENT", "FEW"]].tolist() == [280 / 400, 70 / 200, 50 / 50]
	# A false positive is one who paid back and would be declined.
	assert approvals["false_positive_rate"][["OWN", "RENT"]].tolist() == [60 / 300, 60 / 120]
	# All loans of the small group are approved, but 50 loans are fewer than it takes.
	assert MIN_LOANS == 100
	assert approvals["is_measure"].to_dict() == {"FEW": False, "OWN": True, "RENT": True}
	assert approvals.filter(like="approval_ratio").loc["FEW"].isna().all()
	# The bounds of the ratio are near those of the delta method.
	spread = np.sqrt((1 - 0.35) / 70 + (1 - 0.7) / 280)  # of the logarithm of the ratio
	for end, sign in (("low", -1), ("high", 1)):
		expected = 0.5 * np.exp(sign * 1.96 * spread)
		assert approvals.loc["RENT", f"approval_ratio_{end}"] == pytest.approx(expected, abs=0.03)


def test_where_all_groups_are_small_the_largest_is_the_measure():
	table = measure_approvals(*make_loans(FEW=FEW, FEWER=(20, 5, 15, 5)), OPTIONS)

	assert table["is_measure"].to_dict() == {"FEW": True, "FEWER": False}
	assert table.loc["FEW", "approval_ratio"] == 1


def test_a_group_nobody_of_which_paid_back_has_no_false_positive_rate():
	table = measure_approvals(*make_loans(OWN=OWN, LOST=(150, 150, 0, 20)), OPTIONS)

	assert table.filter(like="false_positive_rate").loc["LOST"].isna().all()
	assert table.loc["LOST", "approval_rate"] == pytest.approx(20 / 150)


@pytest.fixture(scope="module")
def rows(simulated_loans):
	"""Simulated loans under a model that ranks by the interest rate and is 10% too low."""
	rate = simulated_loans["interest_rate_pct"]
	level = 0.9 * simulated_loans["is_charged_off"].mean() / rate.mean()
	return simulated_loans.assign(probability_of_default=rate * level)


@pytest.fixture(scope="module")
def audited(rows):
	pd_ = rows["probability_of_default"].to_numpy()
	approved = {"f2": pd_ < np.quantile(pd_, 0.3), "policy": pd_ < np.quantile(pd_, 0.9)}
	return audit_groups(rows, approved, OPTIONS)


def test_loans_are_grouped_by_what_may_stand_for_a_protected_attribute(audited):
	assert list(audited) == ["home_ownership", "credit_history_years", "annual_income", "employment_years", "pincode"]
	assert [name for name, proxy in audited.items() if proxy["audit_only"]] == ["pincode"]


@pytest.mark.parametrize("name", PROXIES)
def test_every_loan_is_in_one_group(name, audited, rows):
	groups = audited[name]["groups"]

	assert groups["n"].sum() == len(rows)
	assert groups["charged_off"].sum() == rows["is_charged_off"].sum()
	assert groups["group"].is_unique


@pytest.mark.parametrize("rule", ["f2", "policy"])
@pytest.mark.parametrize("name", PROXIES)
def test_the_favoured_group_is_approved_max_often_of_the_large_ones(name, rule, audited):
	groups = audited[name]["groups"].set_index("group")
	large = groups[groups["n"] >= MIN_LOANS]
	favoured = audited[name]["favoured"][rule]

	assert large[f"{rule}_approval_rate"].idxmax() == favoured
	assert large.loc[favoured, f"{rule}_approval_ratio"] == 1
	assert large[f"{rule}_approval_ratio"].between(0, 1).all()


def test_levels_are_compared_with_the_outcomes(audited, rows):
	groups = audited["home_ownership"]["groups"].set_index("group")
	rent = rows[rows["home_ownership"] == "RENT"]
	line = groups.loc["RENT"]

	assert line["default_rate"] == pytest.approx(rent["is_charged_off"].mean())
	assert line["mean_pd"] == pytest.approx(rent["probability_of_default"].mean())
	assert line["observed_to_expected"] == pytest.approx(line["default_rate"] / line["mean_pd"])
	for name in ("default_rate", "observed_to_expected", "roc_auc"):
		assert line[f"{name}_low"] < line[name] < line[f"{name}_high"]


def test_a_band_holds_its_lower_bound(rows):
	incomes = rows.head(4).assign(annual_income=[39_999.0, 40_000.0, 119_999.0, np.nan])

	assert PROXIES["annual_income"].group(incomes).astype("str").tolist() == [
		"below 40,000",
		"40,000 to below 60,000",
		"80,000 to below 120,000",
		"not stated",
	]


def test_where_nobody_is_approved_no_group_is_favoured(rows):
	nobody = np.zeros(len(rows), dtype=bool)

	audited = audit_groups(rows, {"f2": nobody, "policy": ~nobody}, OPTIONS)

	assert {proxy["favoured"]["f2"] for proxy in audited.values()} == {None}
	for proxy in audited.values():
		assert proxy["favoured"]["policy"] in set(proxy["groups"]["group"])
		assert proxy["groups"]["f2_approval_ratio"].isna().all()


APPROVED, LOANS = np.array([280, 70, 50, 240]), np.array([400, 200, 50, 400])


def test_the_measure_is_the_large_group_approved_most_often_and_bounds_are_those_of_all_pairs_at_once():
	measured = measure_ratios(APPROVED, LOANS, 100)

	# All of the third group's 50 loans are approved, but they are fewer than it takes.
	assert measured.is_measure.tolist() == [True, False, False, False]
	assert measured.ratio[[0, 1, 3]] == pytest.approx([1, 0.35 / 0.7, 0.6 / 0.7])
	assert np.isnan([measured.ratio[2], measured.low[2], measured.high[2]]).all()
	assert (measured.low[0], measured.high[0]) == (1, 1)
	z = float(norm.isf(0.025 / 3))  # three groups are large, so there are three pairs
	low, high = ratio_bounds((APPROVED[[1]], LOANS[[1]]), (280, 400), z)
	assert (measured.low[1], measured.high[1]) == pytest.approx((low[0], high[0]))
	assert measured.worst == Estimate(measured.ratio[1], measured.low[1], measured.high[1])


def test_nobody_approved_leaves_nothing_to_compare():
	measured = measure_ratios(np.zeros(4, dtype=int), LOANS, 100)

	assert np.isnan(measured.ratio).all()
	assert not measured.is_measure.any()
	assert measured.worst is NO_ESTIMATE


@pytest.mark.parametrize("min_loans", [300, 1_000])
def test_one_large_group_or_none_has_no_worst(min_loans):
	measured = measure_ratios(APPROVED[:3], LOANS[:3], min_loans)

	assert measured.worst is NO_ESTIMATE


def test_intervals_hold_all_at_once_although_the_measure_was_found_by_looking():
	"""Over 400 seeds: ten groups of one true rate, so that every true ratio is 1."""
	rng = np.random.default_rng(7)
	loans = np.full(10, 150)
	missed = worst_missed = 0
	for _ in range(400):
		measured = measure_ratios(rng.binomial(loans, 0.6), loans, 100)
		missed += bool(((measured.low > 1) | (measured.high < 1)).any())
		worst_missed += measured.worst.high < 1

	# 5% of 400 is 20; bounds of single pairs at 95% would miss half of the time.
	assert missed <= 20
	assert worst_missed <= 20


def test_bounds_are_those_of_the_formula():
	"""Donner and Zou, worked with the Wilson bounds of 70 in 200 and 280 in 400."""
	(low1, high1), (low2, high2) = wilson_bounds(70, 200), wilson_bounds(280, 400)
	product = 0.35 * 0.7
	low = product - np.sqrt(product**2 - low1 * high2 * (0.7 - low1) * (1.4 - high2))
	high = product + np.sqrt(product**2 - high1 * low2 * (0.7 - high1) * (1.4 - low2))

	got = ratio_bounds((np.array([70]), np.array([200])), (280, 400), Z95)

	assert got[0][0] == pytest.approx(low / (high2 * (1.4 - high2)))
	assert got[1][0] == pytest.approx(high / (low2 * (1.4 - low2)))


def test_all_or_none_approved_has_bounds_too():
	low, high = ratio_bounds((np.array([0, 200]), np.array([200, 200])), (400, 400), Z95)

	assert low[0] == pytest.approx(0, abs=1e-12)
	assert 0 < high[0] < 0.03
	assert 0.97 < low[1] < 1 < high[1] < 1.01
