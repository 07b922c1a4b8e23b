import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.measures.metrics import expected_calibration_error
from loantap.model.training.predictions import predict_out_of_fold
from loantap.model.training.search import fit_candidate
from loantap.portfolio.cleaning import mark_outcome
from loantap.simulator import simulate_portfolio
from tests.conftest import training_options

OPTIONS = training_options("lending", folds=5)
LENDING = FEATURE_SETS["lending"]


@pytest.fixture(scope="module")
def demo():
	return simulate_portfolio(20_000, seed=1_913)


@pytest.fixture(scope="module")
def features(demo):
	return build_features(demo.portfolio, LENDING.features)


@pytest.fixture(scope="module")
def target(demo):
	return mark_outcome(demo.portfolio["loan_status"])


@pytest.fixture(scope="module")
def predicted(features, target):
	def fit(features, target, _):
		return fit_candidate(features, target, OPTIONS.candidates[0], OPTIONS)

	log_odds, _ = predict_out_of_fold(features, target, fit, OPTIONS)
	return expit(log_odds)


def test_it_ranks_loans_nearly_as_well_as_their_true_pds(demo, target, predicted):
	best = roc_auc_score(target, demo.truth["true_pd"])
	found = roc_auc_score(target, predicted)

	# Housing and mortgage accounts are drivers that no lending decision rests on.
	assert best - 0.012 < found < best


def test_its_pds_are_close_to_the_true_ones(demo, predicted):
	true_pd = demo.truth["true_pd"]

	assert np.corrcoef(predicted, true_pd)[0, 1] > 0.95
	# Without housing and mortgage accounts; with the latter it would be below .022.
	assert np.abs(predicted - true_pd).mean() < 0.03
	assert predicted.mean() == pytest.approx(true_pd.mean(), abs=0.01)


def test_its_pds_are_calibrated(target, predicted):
	# A perfect model of 20,000 loans has an error of about .007.
	assert expected_calibration_error(target.to_numpy(), predicted) < 0.015
