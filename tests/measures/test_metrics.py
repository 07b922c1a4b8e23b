from itertools import islice

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics
from sklearn.metrics import auc, roc_auc_score

from loantap.measures.auc import draw_resamples
from loantap.measures.metrics import (
	Metrics,
	bootstrap_bounds,
	expected_calibration_error,
	measure,
	perfect_ece_bounds,
	round_significant,
	tabulate_reliability,
	trace_precision_recall,
	trace_roc,
)

# Five loans, two charged off, declined from a PD of .3.
TARGET = np.array([0, 0, 1, 0, 1])
PD = np.array([0.1, 0.2, 0.3, 0.4, 0.8])
DECLINED = PD >= 0.3


@pytest.fixture(scope="module")
def measured():
	return measure(TARGET, PD, DECLINED, bins=5)


@pytest.mark.parametrize(
	("name", "expected"),
	[
		("n", 5),
		("default_rate", 2 / 5),
		("roc_auc", 5 / 6),  # of six pairs only .3 (lost) against .4 (paid) is the wrong way round
		("average_precision", 0.5 * 1 + 0.5 * 2 / 3),
		("ks", 2 / 3),  # from .3 up: both losses, one of three paid loans
		("brier", (0.01 + 0.04 + 0.49 + 0.16 + 0.04) / 5),
		("ece", (0.1 + 0.2 + 0.7 + 0.4 + 0.2) / 5),  # a bin for each loan
		("accuracy", 4 / 5),
		("precision", 2 / 3),
		("recall", 1.0),
		("f2", 10 / 11),  # 5 * 2 / (5 * 2 + 4 * 0 + 1)
		("f2_decline_all", 5 * 0.4 / (4 * 0.4 + 1)),
		("approval_rate", 2 / 5),
		("default_rate_approved", 0.0),
	],
)
def test_five_loans_by_hand(name, expected, measured):
	assert measured.as_dict()[name] == pytest.approx(expected)


def test_declining_nobody_has_no_precision_and_approves_all():
	measured = measure(TARGET, PD, np.zeros(5, dtype=bool))

	assert (measured.precision, measured.recall, measured.f2) == (0, 0, 0)
	assert (measured.approval_rate, measured.default_rate_approved) == (1, 0.4)


def test_the_one_loan_declined_was_rightly_declined():
	assert measure(TARGET, PD, PD > 0.5).precision == 1


def test_calibration_is_judged_in_ten_bins(loans):
	target, pd_ = loans

	assert measure(target, pd_, pd_ > 0.2) == measure(target, pd_, pd_ > 0.2, bins=10)
	judged = [perfect_ece_bounds(pd_, seed=1, resamples=20, **bins) for bins in ({}, {"bins": 10}, {"bins": 5})]
	assert judged[0] == judged[1] != judged[2]


def test_declining_everybody_scores_the_f2_of_declining_everybody():
	measured = measure(TARGET, PD, np.ones(5, dtype=bool))

	assert measured.f2 == pytest.approx(measured.f2_decline_all)
	assert (measured.approval_rate, measured.default_rate_approved) == (0, 0)


@pytest.fixture(scope="module")
def loans():
	"""2,000 loans that default exactly as often as their PD says."""
	rng = np.random.default_rng(3)
	pd_ = rng.beta(1.6, 6.8, 2_000)
	return (rng.random(2_000) < pd_).astype("int64"), pd_


def test_agrees_with_scikit_learn(loans):
	target, pd_ = loans
	declined = pd_ >= 0.2

	measured = measure(target, pd_, declined)

	assert measured.roc_auc == pytest.approx(sklearn_metrics.roc_auc_score(target, pd_))
	assert measured.average_precision == pytest.approx(sklearn_metrics.average_precision_score(target, pd_))
	assert measured.brier == pytest.approx(sklearn_metrics.brier_score_loss(target, pd_))
	assert measured.accuracy == pytest.approx(sklearn_metrics.accuracy_score(target, declined))
	assert measured.precision == pytest.approx(sklearn_metrics.precision_score(target, declined))
	assert measured.recall == pytest.approx(sklearn_metrics.recall_score(target, declined))
	assert measured.f2 == pytest.approx(sklearn_metrics.fbeta_score(target, declined, beta=2))
	losses, paid = np.sort(pd_[target == 1]), np.sort(pd_[target == 0])
	below = [np.searchsorted(paid, p) / len(paid) - np.searchsorted(losses, p) / len(losses) for p in pd_]
	assert measured.ks == pytest.approx(max(below))


loan_lists = st.lists(
	st.tuples(st.integers(0, 1), st.integers(1, 999), st.booleans()),
	min_size=4,
	max_size=40,
	unique_by=lambda loan: loan[1],
)


def split(loans):
	target = np.array([loan[0] for loan in loans])
	assume(0 < target.sum() < len(target))
	return target, np.array([loan[1] / 1_000 for loan in loans]), np.array([x[2] for x in loans])


@given(loan_lists)
def test_every_metric_is_a_fraction(loans):
	figures = measure(*split(loans)).as_dict()

	assert figures.pop("n") == len(loans)
	assert all(-1e-12 <= figure <= 1 + 1e-12 for figure in figures.values())


# Bins of two: .1 and .2 against one loss, .6 and .9 against two.
def test_calibration_error_by_hand():
	target, pd_ = np.array([0, 1, 1, 1]), np.array([0.1, 0.2, 0.6, 0.9])

	assert expected_calibration_error(target, pd_, bins=2) == pytest.approx((0.7 + 0.5) / 4)
	assert expected_calibration_error(target, pd_, bins=1) == pytest.approx(1.2 / 4)


def test_the_calibration_error_of_a_perfect_model_lies_between_its_bounds():
	n, expected = 524, 0.040
	rng = np.random.default_rng(n)
	pd_ = rng.beta(1.6, 6.8, n)  # mean .19
	low, high = perfect_ece_bounds(pd_, seed=1, resamples=300)
	errors = [expected_calibration_error((rng.random(n) < pd_).astype(int), pd_) for _ in range(300)]

	assert low < expected < high
	assert np.mean([low <= error <= high for error in errors]) == pytest.approx(0.95, abs=0.04)
	low, high = perfect_ece_bounds(pd_, seed=1, resamples=300, confidence=0.5)
	assert np.mean([low <= error <= high for error in errors]) == pytest.approx(0.5, abs=0.1)


@pytest.fixture(scope="module")
def bounds(loans):
	target, pd_ = loans
	return bootstrap_bounds(target, pd_, pd_ >= 0.2, seed=1, resamples=300)


def test_the_bootstrap_bounds_every_metric_but_the_count(bounds):
	names = set(Metrics.__slots__) - {"n"}

	assert set(bounds[0]) == set(bounds[1]) == names


def test_the_width_of_a_rate_is_that_of_the_normal_approximation(bounds, loans):
	rate = loans[0].mean()
	width = bounds[1]["default_rate"] - bounds[0]["default_rate"]

	expected = 2 * 1.96 * np.sqrt(rate * (1 - rate) / 2_000)
	assert width == pytest.approx(expected, rel=0.15)


def test_bounds_are_quantiles_of_the_resamples_and_reflected_for_ks(bounds, loans):
	target, pd_ = loans
	drawn = [np.repeat(np.arange(len(target)), times) for times in islice(draw_resamples(target, 1), 300)]
	rate, gap = (
		np.quantile([figure(target[d], pd_[d]) for d in drawn], [0.025, 0.975])
		for figure in (lambda target, _: target.mean(), _ks)
	)

	assert [b["default_rate"] for b in bounds] == pytest.approx(rate)
	assert [b["ks"] for b in bounds] == pytest.approx(2 * _ks(target, pd_) - gap[::-1])


def _ks(target, pd_):
	false_rate, true_rate, _ = sklearn_metrics.roc_curve(target, pd_)
	return max(true_rate - false_rate)


def test_resamples_without_a_loss_are_drawn_again():
	target, pd_ = np.array([1, 0, 0, 0]), np.array([0.9, 0.3, 0.2, 0.1])

	low, _ = bootstrap_bounds(target, pd_, pd_ > 0.5, seed=1, resamples=50)

	assert low["default_rate"] >= 0.25


@pytest.mark.parametrize(
	("value", "expected"), [(0.123456789, 0.123457), (1234567.8, 1234570.0), (0.0, 0.0), (1e-9 / 3, 3.33333e-10)]
)
def test_reports_quote_six_significant_digits(value, expected):
	assert round_significant(value) == expected


@pytest.mark.slow
def test_the_interval_of_the_calibration_error_takes_its_upward_bias_off():
	# PDs that are right by construction: what error they show is noise.
	rng = np.random.default_rng(3)
	lows = []
	for _ in range(20):
		pd_ = rng.beta(2, 8, 500)
		target = (rng.random(500) < pd_).astype("int64")
		low, high = bootstrap_bounds(target, pd_, pd_ > 0.3, seed=1, resamples=100)
		assert low["ece"] <= expected_calibration_error(target, pd_) <= high["ece"]
		lows.append(low["ece"])

	# The percentile interval would begin at .034 on average, as if noise were an error.
	assert np.mean(lows) < 0.015
	assert min(lows) == 0


@pytest.fixture(scope="module")
def many_loans():
	rng = np.random.default_rng(8)
	pd_ = rng.beta(1.6, 6.8, 20_000)
	return (rng.random(20_000) < pd_).astype("int64"), pd_


def test_the_roc_curve_runs_from_corner_to_corner_and_keeps_its_area(many_loans):
	curve = trace_roc(*many_loans)

	assert len(curve) <= 400
	assert curve.iloc[0].tolist() == [0, 0]
	assert curve.iloc[-1].tolist() == [1, 1]
	assert curve["false_positive_rate"].is_monotonic_increasing
	assert curve["true_positive_rate"].is_monotonic_increasing
	area = auc(curve["false_positive_rate"], curve["true_positive_rate"])
	assert area == pytest.approx(roc_auc_score(*many_loans), abs=2e-4)


def test_a_short_roc_curve_is_kept_whole():
	curve = trace_roc(np.array([0, 1, 1, 0]), np.array([0.1, 0.2, 0.8, 0.9]))

	assert curve.to_numpy().tolist() == [[0, 0], [0.5, 0], [0.5, 1], [1, 1]]


def test_the_precision_recall_curve_starts_where_everybody_is_declined(many_loans):
	curve = trace_precision_recall(*many_loans)

	assert len(curve) <= 400
	assert curve.iloc[0].tolist() == [1, pytest.approx(many_loans[0].mean())]
	assert curve.iloc[-1].tolist() == [0, 1]
	assert curve["recall"].is_monotonic_decreasing


# Four loans in two bins: .1 and .2 with one loss, .6 and .8 with two.
def test_reliability_by_hand():
	table = tabulate_reliability(np.array([1, 0, 1, 1]), np.array([0.2, 0.1, 0.8, 0.6]), bins=2)

	assert list(table["mean_pd"]) == pytest.approx([0.15, 0.7])
	assert list(table["observed_rate"]) == [0.5, 1.0]
	assert list(table["loans"]) == [2, 2]
	assert (table["low"] <= table["observed_rate"]).all()
	assert (table["observed_rate"] <= table["high"]).all()


def test_a_reliability_table_has_ten_bins_and_a_curve_four_hundred_points(many_loans):
	assert tabulate_reliability(*many_loans)["loans"].tolist() == [2_000] * 10
	assert len(trace_roc(*many_loans)) == 400
