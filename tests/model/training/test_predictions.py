import numpy as np
import pandas as pd
import pytest

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.measures.metrics import decline_cross_fitted
from loantap.model.schemas import MODEL_INPUT_APPLICATION, OUT_OF_FOLD, PREDICTIONS
from loantap.model.training.calibration import FittedModel
from loantap.model.training.options import Balancing, Candidate, SplitOptions
from loantap.model.training.predictions import predict_out_of_fold, predict_samples
from loantap.model.training.search import fit_candidate
from loantap.model.training.splits import make_folds, split_loans
from loantap.model.training.train import train_logistic
from tests.conftest import OUT_OF_TIME, training_options

OPTIONS = training_options("application")
FEATURES = list(FEATURE_SETS["application"].features)
BALANCED = Candidate(Balancing.CLASS_WEIGHTS, l1_ratio=0, inverse_penalty=0.1)  # distorts PDs


def make_input(loans, **out_of_time):
	split = SplitOptions.model_validate({"seed": 1, "test_share": 0.2, "out_of_time": OUT_OF_TIME | out_of_time})
	return (
		split_loans(loans, split)
		.assign(is_charged_off=loans["is_charged_off"])
		.join(build_features(loans, FEATURES))
		.astype({"loan_id": "str"})
	)


@pytest.fixture(scope="module")
def model_input(simulated_loans):
	return make_input(simulated_loans)


class Trainer:
	def __init__(self, options=OPTIONS):
		self._options = options
		self.trained_on: list[set[str]] = []
		self.models: list[FittedModel] = []

	def __call__(self, rows):
		self.trained_on.append(set(rows["loan_id"]))
		self.models.append(train_logistic(rows, self._options))
		return self.models[-1]


def learn(model_input, options=OPTIONS):
	return train_logistic(model_input[model_input["split"] == "train"], options)


def judge(model_input, trained, train=None):
	return predict_samples(model_input, FEATURES, trained, train or Trainer())


@pytest.fixture(scope="module")
def trained(model_input):
	return learn(model_input)


@pytest.fixture(scope="module")
def trainer():
	return Trainer()


@pytest.fixture(scope="module")
def predictions(model_input, trained, trainer):
	return judge(model_input, trained, trainer)


def pick(predictions, sample):
	return predictions[predictions["sample"] == sample].set_index("loan_id")


def test_the_tables_are_as_declared(model_input, trained, predictions):
	MODEL_INPUT_APPLICATION.validate(model_input)
	OUT_OF_FOLD.validate(trained.out_of_fold)
	PREDICTIONS.validate(predictions)


def test_each_sample_holds_its_loans_with_their_outcomes(model_input, predictions):
	loans = model_input.set_index("loan_id")
	expected = {
		"cv": loans["split"] == "train",
		"test": loans["split"] == "test",
		"out_of_time": loans["judged_at"].notna(),
	}
	for sample, is_in in expected.items():
		rows = pick(predictions, sample)
		assert set(rows.index) == set(loans.index[is_in])
		assert list(rows["is_charged_off"]) == list(loans.loc[rows.index, "is_charged_off"])
		assert rows["fold"].eq(-1).all() == (sample != "cv")


def test_in_cross_validation_each_fold_is_decided_at_the_threshold_of_the_others(predictions):
	cv = pick(predictions, "cv")
	arrays = (cv[c].to_numpy() for c in ("is_charged_off", "probability_of_default", "fold"))

	assert list(cv["declined"]) == list(decline_cross_fitted(*arrays))


@pytest.mark.parametrize("sample", ["test", "out_of_time"])
def test_elsewhere_a_loan_is_declined_from_the_threshold_on(sample, predictions):
	rows = pick(predictions, sample)

	assert list(rows["declined"]) == list(rows["probability_of_default"] >= rows["threshold"])
	assert 0 < rows["declined"].mean() < 1


def test_nothing_said_depends_on_the_outcomes_of_the_test_split(model_input, predictions):
	is_test = model_input["split"] == "test"
	turned = model_input.assign(
		is_charged_off=model_input["is_charged_off"].mask(is_test, 1 - model_input["is_charged_off"])
	)

	again = judge(turned, learn(turned))

	for sample in ("cv", "test"):
		columns = ["probability_of_default", "threshold", "declined"]
		pd.testing.assert_frame_equal(pick(again, sample)[columns], pick(predictions, sample)[columns], rtol=1e-9)


def test_no_model_is_trained_on_a_loan_issued_at_its_origin_or_after(simulated_loans, trainer, predictions):
	issued = simulated_loans.set_index("loan_id")["issue_month"]
	origins = pd.to_datetime(["2012-07-01", "2013-01-01", "2013-07-01"])

	assert len(trainer.trained_on) == len(origins)
	for origin, loans in zip(origins, trainer.trained_on, strict=True):
		assert loans == set(issued.index[issued < origin])


def test_each_origin_judges_the_loans_up_to_the_next_by_its_own_model(model_input, trainer, predictions):
	out_of_time = pick(predictions, "out_of_time")
	for origin, model in zip(sorted(model_input["judged_at"].dropna().unique()), trainer.models, strict=True):
		judged = model_input[model_input["judged_at"] == origin]
		rows = out_of_time.loc[judged["loan_id"]]
		expected = model.pipeline.predict_proba(judged[FEATURES])[:, 1]
		assert rows["probability_of_default"].tolist() == pytest.approx(expected.tolist())
		assert rows["threshold"].eq(model.threshold).all()


def test_out_of_time_is_left_out_when_no_origin_can_be_judged(simulated_loans, trained):
	train = Trainer()

	predictions = judge(make_input(simulated_loans, min_outcomes=9_999), trained, train)

	assert set(predictions["sample"]) == {"cv", "test"}
	assert train.trained_on == []
	PREDICTIONS.validate(predictions)


def test_a_threshold_that_is_given_is_used_everywhere(model_input):
	options = training_options("application", threshold=0.45)

	predictions = judge(model_input, learn(model_input, options), Trainer(options))

	assert predictions["threshold"].eq(0.45).all()
	expected = predictions["probability_of_default"] >= 0.45
	assert list(predictions["declined"]) == list(expected)


@pytest.fixture
def rows(model_input):
	return model_input[model_input["split"] == "train"]


def fit(features, target, _):
	return fit_candidate(features, target, BALANCED, OPTIONS)


def test_every_log_odds_comes_from_the_other_folds(rows):
	features, target = rows[FEATURES], rows["is_charged_off"]

	log_odds, fold = predict_out_of_fold(features, target, fit, OPTIONS)

	for number, (inside, outside) in enumerate(make_folds(OPTIONS).split(features, target)):
		assert (fold[outside] == number).all()
		model = fit(features.iloc[inside], target.iloc[inside], number)
		np.testing.assert_allclose(log_odds[outside], model.decision_function(features.iloc[outside]))
