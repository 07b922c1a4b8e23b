import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from loantap.features.build import build_features
from loantap.model.training.calibration import Calibration, calibrate_cross_fitted, fit_calibration, log_likelihood
from loantap.model.training.estimator import slim
from loantap.model.training.search import fit_candidate
from loantap.model.training.train import feature_names
from tests.conftest import training_options


def draw(loans, seed=5):
	"""Outcomes, one in five charged off, and the log-odds they were drawn with."""
	rng = np.random.default_rng(seed)
	log_odds = rng.normal(-1.6, 1.0, size=loans)
	return (rng.random(loans) < expit(log_odds)).astype("int64"), log_odds


def test_the_line_is_that_of_a_plain_logistic_regression():
	target, log_odds = draw(3_000)
	distorted = 1 + 0.5 * log_odds
	plain = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10)
	plain.fit(distorted.reshape(-1, 1), target)

	found = fit_calibration(target, distorted)

	assert found.slope == pytest.approx(plain.coef_[0, 0], rel=1e-5)
	assert found.intercept == pytest.approx(plain.intercept_[0], rel=1e-5)


def test_pds_that_pass_are_left_exactly_as_they_are():
	fitted = [fit_calibration(*draw(600, seed)) for seed in range(100)]

	# The test errs one time in twenty: 5 of 100, give or take two standard errors.
	touched = sum(line != Calibration() for line in fitted)
	assert 1 <= touched <= 9


def test_a_model_that_ranks_backwards_is_flattened_and_never_turned_round():
	target, log_odds = draw(2_000)

	found = fit_calibration(target, -log_odds)

	assert found.slope == 0
	assert expit(found.intercept) == pytest.approx(target.mean(), rel=1e-6)


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(-20, 20, allow_nan=False)), min_size=4, max_size=60))
def test_the_slope_is_never_negative_and_the_likelihood_never_falls(loans):
	target = np.array([outcome for outcome, _ in loans])
	log_odds = np.array([value for _, value in loans])
	assume(0 < target.sum() < len(target))

	found = fit_calibration(target, log_odds)

	assert found.slope >= 0
	assert log_likelihood(target, found.log_odds(log_odds)) >= log_likelihood(target, log_odds)


def test_the_log_likelihood_of_extreme_log_odds_is_finite():
	assert log_likelihood(np.array([1, 0]), np.array([-1_000.0, 1_000.0])) == -2_000


FOLD = np.arange(3_000) % 3


def test_each_fold_gets_the_line_of_the_others():
	target, log_odds = draw(3_000)
	distorted = 1 + 0.5 * log_odds

	calibrated = calibrate_cross_fitted(target, distorted, FOLD)

	for held_out in range(3):
		inside = held_out == FOLD
		line = fit_calibration(target[~inside], distorted[~inside])
		np.testing.assert_allclose(calibrated[inside], line.apply(distorted[inside]), rtol=1e-12)


def test_folded_into_a_pipeline_it_gives_the_same_pds(simulated_loans):
	options = training_options("lending", balancing=("class_weights",))
	features = build_features(simulated_loans, feature_names(options))
	served = slim(fit_candidate(features, simulated_loans["is_charged_off"], options.candidates[0], options))
	line = Calibration(-1.3, 0.9)

	folded = line.fold_into(served)

	expected = line.apply(served.decision_function(features))
	np.testing.assert_allclose(folded.predict_proba(features)[:, 1], expected, atol=1e-12)
	by_hand = folded[-1].intercept_ + folded[0].transform(features) @ folded[-1].coef_[0]
	np.testing.assert_allclose(expit(by_hand), expected, atol=1e-12)
	# The model it was made from is as it was.
	assert served[-1].coef_[0, 0] * 0.9 == pytest.approx(folded[-1].coef_[0, 0])
	assert logit(expected[0]) != pytest.approx(served.decision_function(features.head(1))[0])
