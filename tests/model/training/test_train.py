import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from sklearn.metrics import roc_auc_score

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model.training.calibration import Calibration, fit_calibration_out_of_fold
from loantap.model.training.estimator import credit_signs
from loantap.model.training.options import Balancing, SplitOptions
from loantap.model.training.predictions import predict_out_of_fold
from loantap.model.training.search import fit_candidate, search
from loantap.model.training.splits import split_loans
from loantap.model.training.train import cross_validate_candidate, feature_names, train_challenger, train_logistic
from tests.conftest import CHALLENGER, OUT_OF_TIME, training_options

OPTIONS = training_options("lending", balancing=("class_weights",), inverse_penalties=(0.01, 1), challenger=CHALLENGER)
FEATURES = feature_names(OPTIONS)


def make_rows(loans, options):
	return loans[["loan_id", "is_charged_off"]].join(build_features(loans, feature_names(options)))


@pytest.fixture(scope="module")
def rows(simulated_loans):
	return make_rows(simulated_loans, OPTIONS)


@pytest.fixture(scope="module")
def logistic(rows):
	return train_logistic(rows, OPTIONS)


@pytest.fixture(scope="module")
def boosting(rows):
	return train_challenger(rows, OPTIONS)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-7], ids=["the search's", "closer"])
def test_nothing_is_fitted_again_where_the_search_was_as_exact(rows, tolerance, monkeypatch):
	options = OPTIONS.model_copy(update={"balancing": (Balancing.SMOTE,), "tolerance": tolerance, "calibrated": False})
	outcome = search(rows[FEATURES], rows["is_charged_off"], options)
	resampled = []
	plain = SMOTE.fit_resample
	monkeypatch.setattr(SMOTE, "fit_resample", lambda *data: resampled.append(1) or plain(*data))

	found = cross_validate_candidate(rows, outcome, options)

	again = predict_out_of_fold(
		rows[FEATURES], rows["is_charged_off"], lambda x, y, _: fit_candidate(x, y, outcome.best, options), options
	)
	is_closer = tolerance < 1e-4
	assert len(resampled) == options.folds * (2 if is_closer else 1)
	np.testing.assert_allclose(found["log_odds"], again[0], atol=1e-5 if is_closer else 0.02, rtol=0)
	np.testing.assert_array_equal(found["fold"], again[1])


def test_pds_are_calibrated_though_the_model_was_trained_with_class_weights(logistic, rows):
	line = fit_calibration_out_of_fold(logistic.out_of_fold)
	assert logistic.calibration.intercept == pytest.approx(line.intercept)
	assert logistic.calibration.slope == pytest.approx(line.slope)
	assert logistic.calibration.intercept < -1
	pd_ = logistic.pipeline.predict_proba(rows[FEATURES])[:, 1]
	assert pd_.mean() == pytest.approx(rows["is_charged_off"].mean(), abs=0.005)


def test_the_challenger_is_not_calibrated_so_that_the_rule_can_test_it(boosting):
	table = boosting.out_of_fold

	assert boosting.calibration == Calibration()
	np.testing.assert_array_equal(table["probability_of_default"], Calibration().apply(table["log_odds"].to_numpy()))


def test_without_options_there_is_no_challenger(rows):
	with pytest.raises(ValueError, match="no challenger is set for lending"):
		train_challenger(rows, training_options("lending"))


# On the training split of the real sample: about 4,700 loans, 900 charged off.
@pytest.mark.parametrize(("model", "min_auc"), [("lending", 0.70), ("application", 0.665)])
def test_on_real_loans_credit_sense_costs_no_ranking(model, min_auc, real_loans):
	split = SplitOptions.model_validate({"seed": 42, "test_share": 0.1, "out_of_time": OUT_OF_TIME})
	options = training_options(model, folds=5, seed=42)
	is_train = split_loans(real_loans, split)["split"].eq("train")

	fitted = train_logistic(make_rows(real_loans[is_train], options), options)

	feature_set = FEATURE_SETS[model]
	coefficients = fitted.pipeline[-1].coef_[0, : len(feature_set.numeric)]
	assert (coefficients * np.array(credit_signs(feature_set)) >= 0).all()
	table = fitted.out_of_fold
	auc = roc_auc_score(table["is_charged_off"], table["probability_of_default"])
	assert auc >= min_auc, f"AUC {auc:.4f} out of fold on {len(table):,} loans"
