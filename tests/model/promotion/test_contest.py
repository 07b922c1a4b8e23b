from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from loantap.features.build import build_features
from loantap.model.promotion.contest import Contest, challenge, judge_promotion, list_caught, predict_as_champion
from loantap.model.promotion.release import Champion
from loantap.model.training.options import SplitOptions
from loantap.model.training.predictions import predict_samples
from loantap.model.training.splits import split_loans
from loantap.model.training.train import feature_names, train_logistic
from loantap.portfolio.target import Target
from tests.conftest import CHALLENGER, OUT_OF_TIME, training_options

# A few bold trees: enough for what a straight line cannot draw.
CHARGED_OFF, TWELVE = Target.CHARGED_OFF, Target.DPD_90_WITHIN_12
OPTIONS = training_options("lending", challenger=CHALLENGER | {"learning_rate": 0.3})
FEATURES = feature_names(OPTIONS)
SPLIT = SplitOptions.model_validate({"seed": 1, "test_share": 0.2, "out_of_time": OUT_OF_TIME})
CLEAN = {"features": [{"feature": name, "caught": False} for name in FEATURES]}
CAUGHT = {
	"features": [
		{"feature": "dti_pct", "caught": True},
		{"feature": "pincode", "caught": True},  # of no lending model
		{"feature": "purpose", "caught": False},
	]
}


@pytest.fixture(scope="module")
def honest(simulated_loans):
	return (
		split_loans(simulated_loans, SPLIT)
		.assign(is_charged_off=simulated_loans["is_charged_off"])
		.join(build_features(simulated_loans, FEATURES))
	)


@pytest.fixture(scope="module")
def curved(honest):
	"""Loans that go bad at both ends of one feature, which no straight line can say."""
	rank = honest["log_revolving_balance"].rank(pct=True)
	pd_ = expit(-4 + 8 * (2 * rank - 1).abs())
	drawn = np.random.default_rng(2).random(len(honest)) < pd_
	return honest.assign(is_charged_off=drawn.astype("int8"))


def train(model_input):
	logistic = train_logistic(model_input[model_input["split"] == "train"], OPTIONS)
	return logistic, predict_samples(model_input, FEATURES, logistic, lambda rows: train_logistic(rows, OPTIONS))


@pytest.fixture(scope="module")
def on_curved(curved):
	return train(curved)


@pytest.fixture(scope="module")
def on_honest(honest):
	return train(honest)


def test_a_clearly_better_challenger_goes_forward_with_its_predictions(curved, on_curved):
	contest = challenge(curved, *on_curved, CLEAN, OPTIONS)

	assert contest.verdict is not None
	assert contest.verdict.promoted, contest.verdict.reason
	assert contest.winner.kind == "boosting"
	assert (contest.verdict.candidate, contest.verdict.incumbent) == ("boosting", "logistic")
	cv = contest.predictions.query("sample == 'cv'")
	assert list(cv["probability_of_default"]) == list(contest.winner.out_of_fold["probability_of_default"])


def test_a_challenger_stays_behind_when_the_gate_caught_a_feature(curved, on_curved):
	contest = challenge(curved, *on_curved, CAUGHT, OPTIONS)

	assert contest.verdict is not None
	assert contest.winner.kind == "logistic"
	assert [c.name for c in contest.verdict.conditions if not c.holds] == ["leakage gate"]


def test_a_challenger_that_is_no_better_leaves_the_logistic_regression(honest, on_honest):
	contest = challenge(honest, *on_honest, CLEAN, OPTIONS)

	assert contest.winner is on_honest[0]
	assert contest.predictions is on_honest[1]
	assert contest.verdict is not None
	assert "boosting does not take the place of logistic (" in contest.verdict.reason
	assert "better log-loss: " in contest.verdict.reason


def test_the_test_split_has_no_say_in_a_contest(honest, on_honest):
	logistic, predictions = on_honest
	is_test = predictions["sample"] == "test"
	hopeless = predictions.assign(probability_of_default=predictions["probability_of_default"].mask(is_test, 0.5))

	usual = challenge(honest, logistic, predictions, CLEAN, OPTIONS)
	spoilt = challenge(honest, logistic, hopeless, CLEAN, OPTIONS)

	assert usual.verdict is not None
	assert usual.verdict == spoilt.verdict
	assert "on 3,200 loans" in usual.verdict.reason  # of 4,000


def test_without_a_challenger_there_is_no_contest(honest, on_honest):
	contest = challenge(honest, *on_honest, CLEAN, training_options("lending"))

	assert contest == Contest(*on_honest, None)


class SpyPipeline:
	"""Gives one PD to all, and remembers whom it was asked about."""

	def __init__(self):
		self.asked: list[str] = []
		self.feature_names_in_ = np.array(FEATURES)

	def predict_proba(self, rows):
		self.asked += list(rows.index)
		assert list(rows.columns) == FEATURES
		return np.tile([0.75, 0.25], (len(rows), 1))


def make_champion(trained, predictions, pipeline=None):
	served = replace(trained, pipeline=pipeline or trained.pipeline)
	return Champion("loantap-lending-demo 3", served, predictions)


def make_predictions(**samples):
	return pd.DataFrame(
		[(loan, sample, pd_, 0) for sample, pds in samples.items() for loan, pd_ in pds.items()],
		columns=["loan_id", "sample", "probability_of_default", "is_charged_off"],
	).astype({"loan_id": "str", "sample": "str"})


# Loans a, b were in its training split, c in its test split; e and f are new.
KEPT = make_predictions(cv={"a": 0.1, "b": 0.2}, test={"c": 0.3}, out_of_time={"a": 0.4})


@pytest.fixture
def spy():
	return SpyPipeline()


@pytest.mark.parametrize(
	("new", "found", "asked"),
	[
		# Loans it was judged on keep the PD of then, whatever sample they are in now.
		(
			{"cv": {"b": 0, "c": 0}, "test": {"a": 0}, "out_of_time": {"a": 0}},
			{("b", "cv"): 0.2, ("c", "cv"): 0.3, ("a", "test"): 0.1, ("a", "out_of_time"): 0.4},
			[],
		),
		# Loans it was never given are scored now.
		(
			{"cv": {"a": 0, "e": 0}, "test": {"f": 0}, "out_of_time": {"f": 0}},
			{("a", "cv"): 0.1, ("e", "cv"): 0.25, ("f", "test"): 0.25, ("f", "out_of_time"): 0.25},
			["e", "f", "f"],
		),
		# Its present model was trained on b: scoring b now would flatter it.
		({"cv": {"a": 0}, "out_of_time": {"b": 0, "c": 0, "e": 0}}, {("a", "cv"): 0.1, ("e", "out_of_time"): 0.25}, ["e"]),
	],
	ids=["judged on", "never given", "learned from"],
)
def test_a_champion_is_asked_only_about_loans_it_was_never_given(new, found, asked, spy, lending_model, honest):
	loans = honest.head(6).assign(loan_id=list("abcdef"))

	table = predict_as_champion(loans, make_predictions(**new), make_champion(lending_model, KEPT, spy))

	keys = zip(table["loan_id"], table["sample"], strict=True)
	assert dict(zip(keys, table["probability_of_default"], strict=True)) == found
	assert sorted(spy.asked) == asked


def test_a_champion_of_features_that_are_no_more_is_asked_nothing(spy, lending_model, honest):
	spy.feature_names_in_ = np.array([*FEATURES, "gone"])

	table = predict_as_champion(
		honest.head(6).assign(loan_id=list("abcdef")),
		make_predictions(cv={"a": 0, "e": 0}),
		make_champion(lending_model, KEPT, spy),
	)

	assert table.to_dict("records") == [{"loan_id": "a", "sample": "cv", "probability_of_default": 0.1}]
	assert spy.asked == []


def test_where_no_predictions_were_kept_a_champion_is_asked_nothing(spy, lending_model, honest):
	nothing = make_champion(lending_model, pd.DataFrame(), spy)

	table = predict_as_champion(honest, make_predictions(cv={"a": 0.5}), nothing)

	assert table.empty
	assert list(table.columns) == ["loan_id", "sample", "probability_of_default"]
	assert spy.asked == []


@pytest.fixture
def contest(on_honest):
	return Contest(*on_honest, None)


def test_the_first_model_needs_no_comparison(honest, contest):
	verdict = judge_promotion(honest, contest, CLEAN, None, OPTIONS)

	assert verdict.promoted
	assert [c.name for c in verdict.conditions] == ["enough charge-offs", "leakage gate", "calibrated"]
	assert verdict.candidate == "the new logistic model of lending"


def test_the_first_model_is_refused_all_the_same_when_a_feature_was_caught(honest, contest):
	verdict = judge_promotion(honest, contest, CAUGHT, None, OPTIONS)

	assert not verdict.promoted
	assert "leakage gate: caught: dti_pct" in verdict.reason


def test_the_same_model_again_does_not_take_the_place_of_the_champion(honest, contest, lending_model):
	champion = make_champion(lending_model, contest.predictions)

	verdict = judge_promotion(honest, contest, CLEAN, champion, OPTIONS)

	assert not verdict.promoted
	assert verdict.incumbent == "loantap-lending-demo 3"
	assert [c.name for c in verdict.conditions if not c.holds] == ["better log-loss", "better AUC"]


@pytest.mark.parametrize(("kept", "is_same"), [("d1", True), ("d2", False), ("", False)])
def test_a_model_that_is_champion_already_is_told_by_its_digest_and_not_compared(
	kept, is_same, honest, contest, lending_model
):
	champion = replace(make_champion(lending_model, contest.predictions), digest=kept)

	verdict = judge_promotion(honest, contest, CLEAN, champion, OPTIONS, "d1" if kept else "")

	assert not verdict.promoted
	assert ("same data, same model as loantap-lending-demo 3" in verdict.reason) is is_same
	assert any(c.name == "better AUC" for c in verdict.conditions) is not is_same


def test_a_better_model_takes_the_place_of_the_champion(honest, contest, lending_model):
	# The champion is a model that knows nothing but the default rate, and is unsure of that.
	rng = np.random.default_rng(1)
	rate = honest["is_charged_off"].mean() + rng.normal(scale=0.01, size=len(contest.predictions))
	ignorant = contest.predictions.assign(probability_of_default=rate)

	verdict = judge_promotion(honest, contest, CLEAN, make_champion(lending_model, ignorant), OPTIONS)

	assert verdict.promoted, verdict.reason


@pytest.mark.parametrize(
	("target", "incumbent", "told"),
	[
		(TWELVE, None, "its target is dpd_90_within_12; the policy"),
		(TWELVE, TWELVE, "its target is dpd_90_within_12; the policy"),
		(TWELVE, CHARGED_OFF, "over the life; that of the champion is charged_off"),
		(CHARGED_OFF, TWELVE, "(target: that of the champion is dpd_90_within_12"),
	],
)
def test_another_target_takes_no_place(target, incumbent, told, honest, contest, lending_model):
	facts = lending_model.facts.model_copy(update={"target": incumbent})
	champion = incumbent and make_champion(replace(lending_model, facts=facts), contest.predictions)

	verdict = judge_promotion(honest, contest, CLEAN, champion, OPTIONS, target=target)

	assert told in verdict.reason
	assert any(c.name == "better AUC" for c in verdict.conditions) is (target is incumbent)


def test_a_champion_of_which_no_predictions_were_kept_cannot_be_beaten_unseen(honest, contest, lending_model):
	champion = make_champion(lending_model, contest.predictions.head(0))

	verdict = judge_promotion(honest, contest, CLEAN, champion, OPTIONS)

	assert not verdict.promoted
	assert "0 loans are too few to compare on" in verdict.reason


def test_only_features_of_a_lending_model_count():
	assert list_caught(CAUGHT, OPTIONS) == ["dti_pct"]
	assert list_caught(CLEAN, OPTIONS) == []
	assert list_caught(CAUGHT, training_options("benchmark")) is None
