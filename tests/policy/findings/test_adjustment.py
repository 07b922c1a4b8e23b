from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.stats import chi2

from loantap.policy.findings.adjustment import Regression
from loantap.policy.findings.evidence import (
	Evidence,
	YearTable,
	follow_driver,
	measure_stability_over_years,
	tabulate_years,
)


def regress(outcome, **factors):
	segments = pd.DataFrame(factors).astype("category")
	return Regression(segments, np.asarray(outcome, dtype=float))


def draw(loans, seed, effect):
	"""Two factors go together; only the first has an effect."""
	rng = np.random.default_rng(seed)
	first = rng.integers(0, 3, loans)
	second = np.where(rng.random(loans) < 0.6, first % 2, rng.integers(0, 2, loans))
	log_odds = -1.2 + effect * (first == 1)
	outcome = (rng.random(loans) < 1 / (1 + np.exp(-log_odds))).astype(float)
	return regress(outcome, first=list(np.array(list("abc"))[first]), second=list(np.array(list("xy"))[second]))


def test_fewer_charge_offs_than_expected_take_the_error_of_no_effect():
	# 2 of 100 and 98 of 300: if there were no effect, the first would vary as at a rate of 25%.
	outcome = [1] * 2 + [0] * 98 + [1] * 98 + [0] * 202
	factor = regress(outcome, grade=["A"] * 100 + ["B"] * 300).adjust(["grade"])["grade"]

	_, error = factor.compare([0])

	expected = 0.25 * 0.75 / 100 + (98 / 300) * (202 / 300) / 300
	assert error == pytest.approx(np.sqrt(expected), rel=0.01)
	assert factor.compare([1])[1] == pytest.approx(error)


def test_rates_and_errors_are_those_of_a_reference():
	regression = draw(900, 3, 0.9)
	dummies = pd.get_dummies(regression.segments, drop_first=True).to_numpy(float)
	design = np.column_stack([np.ones(900), dummies])
	outcome = regression.outcome

	def loss(b):
		odds = design @ b
		return float(np.logaddexp(0, odds).sum() - outcome @ odds + 0.005 * b[1:] @ b[1:])

	best = minimize(loss, np.zeros(4), tol=1e-10).x
	pd_ = 1 / (1 + np.exp(-design @ best))
	information = design.T @ ((pd_ * (1 - pd_))[:, None] * design) + np.diag([0, 0.01, 0.01, 0.01])
	covariance = np.linalg.inv(information)

	def rates(b):
		changed = [
			np.column_stack([design[:, :1], np.tile(own, (900, 1)), design[:, 3:]]) for own in ([0, 0], [1, 0], [0, 1])
		]
		return np.array([(1 / (1 + np.exp(-(table @ b)))).mean() for table in changed])

	slopes = approx_fprime(best, rates, 1e-6)
	factor = regression.adjust(["first"])["first"]

	assert factor.rates == pytest.approx(rates(best), abs=1e-5)
	assert factor.covariance == pytest.approx(slopes @ covariance @ slopes.T, rel=1e-3)
	wald = best[1:3] @ np.linalg.inv(covariance[1:3, 1:3]) @ best[1:3]
	assert factor.statistic == pytest.approx(wald, rel=1e-3)
	assert factor.freedom == 2
	weights = np.array([-factor.shares[0], factor.shares[0] - 1, -factor.shares[2]])
	weights /= np.array([1 - factor.shares[1], factor.shares[0] - 1, 1 - factor.shares[1]])
	difference, error = factor.compare([1])
	assert difference == pytest.approx(weights @ factor.rates)
	assert error >= np.sqrt(weights @ factor.covariance @ weights) * 0.999999


def test_a_segment_without_any_charge_off_has_finite_figures():
	outcome = [0] * 40 + [1] * 60 + [0] * 240 + [1]
	factor = regress(outcome, grade=["A"] * 40 + ["B"] * 300 + ["C"]).adjust(["grade"])["grade"]

	assert factor.rates[0] < 0.01
	assert np.isfinite(factor.covariance).all()
	assert factor.compare([0])[0] == pytest.approx(-60 / 301, abs=0.01)


def test_the_strength_of_one_segment_is_none():
	factor = regress([0, 1, 0, 1], grade=list("AAAA")).adjust(["grade"])["grade"]

	assert factor.measure_strength() == (0, 0, 0)
	assert np.isnan(factor.p_value)


def test_the_interval_of_a_strength_holds_the_truth_as_often_as_it_says():
	# Rates of 23.1% but for a third at 42.6%.
	truth = (0.4256 - 0.2315) * np.sqrt(2) / 3
	held = 0
	for seed in range(200):
		_, low, high = draw(600, seed, 0.9).adjust(["first"])["first"].measure_strength()
		held += low <= truth <= high

	assert held >= 182  # of 190 expected; fewer happen once in 1,000 times


def make_table(excess, loans=400, variance=4e-4):
	values = np.array(excess, dtype=float)
	counts = np.full(values.shape, loans)
	return YearTable(
		years=np.arange(2011, 2011 + values.shape[1]),
		loans=counts,
		charged_off=np.rint(counts * (0.2 + np.nan_to_num(values))).astype(int),
		excess=values,
		variance=np.full(values.shape, variance),
		is_enough=~np.isnan(values),
	)


def test_excess_is_observed_less_expected_by_hand():
	# A of 2011: 1 of 2 where 2 x .2 are expected; B has no loan in 2012.
	grades = pd.DataFrame({"grade": pd.Categorical(list("AABAB"))})
	outcome = np.array([1.0, 0, 0, 1, 1])
	evidence = Evidence(
		segments=pd.DataFrame({"pincode": pd.Categorical(list("AAABB"))}),
		outcome=outcome,
		years=np.array([2011, 2011, 2012, 2011, 2011]),
		profits={},
		adjusted=Regression(grades, outcome).adjust(["grade"]),
		pd=np.array([0.2, 0.2, 0.5, 0.4, 0.6]),
		min_outcomes=1,
	)

	table = tabulate_years(evidence, "pincode", 1)

	assert table.years.tolist() == [2011, 2012]
	assert table.loans.tolist() == [[2, 1], [2, 0]]
	assert table.charged_off.tolist() == [[1, 0], [2, 0]]
	assert table.excess[0] == pytest.approx([0.3, -0.5])
	assert table.excess[1, 0] == pytest.approx(0.5)
	assert np.isnan(table.excess[1, 1])
	assert table.variance[0] == pytest.approx([2 * 0.16 / 4, 0.25])
	# The rarer outcome has a share of .4: a cell needs 2.5 loans to expect one of each.
	assert not table.is_enough.any()
	assert tabulate_years(evidence, "pincode", 0).is_enough.all()
	assert not tabulate_years(replace(evidence, adjusted={}), "pincode", 0).is_enough.any()


@pytest.mark.parametrize(
	("excess", "years", "same_sign", "p_value"),
	[
		# Mean .03: (.07^2 + .01^2 + .06^2) / .0004 = 21.5 with 2 degrees of freedom.
		([0.10, 0.02, -0.03], 3, 2, chi2.sf(21.5, 2)),
		# Years with few loans are left out; of fewer than two nothing is told.
		([0.10, np.nan, 0.10], 2, 2, 1),
		([np.nan, np.nan], 0, 0, np.nan),
		([0.1, np.nan], 1, 1, np.nan),
	],
)
def test_stability_is_cochrans_test_by_hand(excess, years, same_sign, p_value):
	found = measure_stability_over_years(make_table([excess]), 0)

	assert (found.years, found.same_sign) == (years, same_sign)
	assert found.p_value == pytest.approx(p_value, nan_ok=True)


def test_a_driver_that_is_the_same_every_year_has_its_spread():
	strength, error = follow_driver(make_table([[0.03] * 3, [-0.03] * 3]))

	assert strength == pytest.approx([0.03] * 3)
	assert error == pytest.approx([np.sqrt(2 * 0.5**2 * 4e-4)] * 3)


def test_a_driver_that_turns_round_in_a_year_is_below_zero_there():
	table = make_table([[0.03, 0.03, -0.02], [-0.03, -0.03, 0.02]])

	assert follow_driver(table)[0] == pytest.approx([0.03, 0.03, -0.02])


@pytest.mark.parametrize(
	"excess",
	[
		[[0.1], [-0.1]],  # there is no other year
		[[0.1, 0.1]],  # nor another segment
		[[0.1, np.nan], [np.nan, 0.1]],  # nor a segment in two years
		[[0.1, 0.1], [0.1, 0.1]],  # nor an order
	],
)
def test_a_driver_is_not_told_where_there_is_nothing_to_follow(excess):
	strength, error = follow_driver(make_table(excess))

	assert np.isnan(strength).all()
	assert np.isnan(error).all()
