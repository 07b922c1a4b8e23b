import time

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from loantap.measures.auc import (
	_AHEAD,
	MIN_FOR_AUC,
	auc_standard_error,
	bootstrap_aucs,
	map_ahead,
	measure_auc,
	quantile_bounds,
	resample_auc,
)


@pytest.fixture
def target():
	return np.random.default_rng(1).integers(0, 2, 400)


def test_each_resample_has_the_auc_of_the_loans_drawn(target):
	score = np.random.default_rng(2).normal(size=400).round(1) + target  # with ties
	rng = np.random.default_rng(9)
	draws = [rng.integers(0, 400, 400) for _ in range(20)]

	drawn = bootstrap_aucs(target, score[None], seed=9, resamples=20)

	expected = [roc_auc_score(target[draw], score[draw]) for draw in draws]
	np.testing.assert_allclose(drawn[:, 0], expected)


def test_a_resample_without_an_outcome_is_drawn_again():
	target = np.array([1, 0, 0])

	drawn = bootstrap_aucs(target, np.array([[0.9, 0.1, 0.2]]), seed=1, resamples=100)

	assert drawn.shape == (100, 1)
	assert (drawn == 1).all()


@pytest.mark.slow
def test_bounds_cover_the_truth_about_as_often_as_they_say():
	rng = np.random.default_rng(5)
	covered = []
	for seed in range(100):
		target = rng.integers(0, 2, 300)
		score = rng.normal(size=300) + target  # AUC is Phi(1 / sqrt 2)
		low, high = quantile_bounds(bootstrap_aucs(target, score[None], seed=seed, resamples=200))
		covered.append(low <= 0.76025 <= high)

	assert 0.88 <= np.mean(covered) <= 1


def test_the_standard_error_is_that_of_hanley_and_mcneil():
	"""Their example: an AUC of .893 from 51 who are ill and 58 who are not."""
	target = pd.Series([1] * 51 + [0] * 58)

	assert auc_standard_error(0.893, target) == pytest.approx(0.0325116, abs=1e-7)
	assert auc_standard_error(1.0, target) == 0


def test_an_auc_has_bounds_of_two_standard_errors_within_0_and_1(target):
	score = np.random.default_rng(2).normal(size=400) + target
	area = roc_auc_score(target, score)
	half = 1.959964 * auc_standard_error(area, pd.Series(target))

	assert measure_auc(target, score) == pytest.approx((area, area - half, area + half))
	assert measure_auc(target, target + 0.0) == (1, 1, 1)
	nearly = measure_auc(np.repeat([0, 1], 10), np.r_[np.arange(9), 10.5, np.arange(10, 20)])
	assert nearly[0] == pytest.approx(0.99)
	assert nearly[2] == 1


@pytest.mark.parametrize(("bad", "good", "is_known"), [(10, 10, True), (9, 50, False), (50, 9, False)])
def test_of_too_few_loans_of_an_outcome_no_auc_is_said(bad, good, is_known):
	found = measure_auc(np.repeat([1, 0], [bad, good]), np.arange(float(bad + good)))

	assert np.isfinite(found).tolist() == [is_known] * 3


def test_one_of_each_outcome_is_enough_for_a_resample():
	assert bootstrap_aucs(np.array([0, 1]), np.array([[0.1, 0.2]]), seed=1, resamples=5).tolist() == [[1.0]] * 5


@pytest.mark.parametrize("measure", [measure_auc, lambda *loans: resample_auc(*loans, seed=4, resamples=30)])
@pytest.mark.parametrize("rarer", [0, 1])
def test_an_auc_is_measured_from_so_many_of_the_rarer_outcome_on(measure, rarer):
	target = np.r_[np.full(MIN_FOR_AUC, rarer), np.full(3 * MIN_FOR_AUC, 1 - rarer)]
	score = np.random.default_rng(3).normal(size=len(target))

	area, low, high = measure(target, score)

	assert area == roc_auc_score(target, score)
	assert low < area < high
	assert np.isnan(measure(target[1:], score[1:])).tolist() == [True] * 3


def test_bounds_of_a_resampled_auc_are_quantiles_of_its_draws(target):
	score = np.random.default_rng(5).normal(size=400) + target
	drawn = bootstrap_aucs(target, score[None], seed=7, resamples=25)[:, 0]

	assert resample_auc(target, score, seed=7, resamples=25)[1:] == quantile_bounds(drawn)


def test_results_come_in_the_order_of_the_items():
	def slow_at_first(number):
		time.sleep(0.02 if number < 2 else 0)
		return number**2

	assert list(map_ahead(slow_at_first, range(20))) == [n**2 for n in range(20)]


def test_only_a_few_items_are_made_before_their_results_are_taken():
	made = []

	def draw():
		for number in range(50):
			made.append(number)
			yield number

	for taken, _ in enumerate(map_ahead(lambda number: number, draw()), start=1):
		assert len(made) <= taken + _AHEAD

	assert made == list(range(50))


def test_an_error_of_an_item_is_the_callers():
	with pytest.raises(ZeroDivisionError):
		list(map_ahead(lambda number: 1 // number, [1, 0, 1]))


def test_nothing_gives_nothing():
	assert list(map_ahead(str, [])) == []


@pytest.mark.parametrize("outcome", [0, 1])
def test_loans_of_one_outcome_are_refused_rather_than_redrawn_for_ever(outcome):
	with pytest.raises(ValueError, match="5 loans of one outcome"):
		bootstrap_aucs(np.full(5, outcome), np.zeros((1, 5)), seed=1, resamples=10)
