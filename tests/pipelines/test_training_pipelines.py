from functools import partial

import pandas as pd
import pytest

from loantap.features.definitions import FEATURE_SETS, MODELS
from loantap.model.promotion.release import Champion, Release, digest_model
from loantap.model.scoring.trained import TrainedModel
from loantap.pipelines.modeling.nodes import judge_promotion
from tests.pipelines.in_memory import load_options, run

FOR_LENDING = ("lending", "application")


def modeling_inputs(engineered, ingested, champions=None):
	"""What `modeling` is given; without champions nothing is registered yet."""
	tables = {name: engineered[name] for name in engineered if name.endswith("_input")}
	return {
		**tables,
		"leakage_report": engineered["leakage_report"],
		"labelled_loans": engineered["labelled_loans"],
		"target": engineered["target"],
		"reconciliation": ingested["reconciliation"],
		"modeling.champions": {model: partial(lambda found: found, (champions or {}).get(model, {})) for model in MODELS},
	}


@pytest.fixture(scope="module")
def modelled(engineered, ingested):
	return run("modeling", modeling_inputs(engineered, ingested))


@pytest.mark.parametrize("model", MODELS)
def test_each_model_is_packaged_with_its_facts(modelled, model):
	trained = modelled[f"{model}_model@release"].trained
	feature_set = FEATURE_SETS[MODELS[model]]

	assert isinstance(trained, TrainedModel)
	assert trained.facts.namespace == model
	assert trained.facts.feature_set == feature_set.name
	assert trained.facts.origin == "simulated"
	assert trained.facts.training_loans == 1_350
	assert trained.facts.not_for_lending == (MODELS[model] == "benchmark")
	assert trained.example.columns.tolist() == list(feature_set.features)


@pytest.mark.parametrize("model", MODELS)
def test_test_loans_are_predicted_by_the_model_that_is_packaged(modelled, engineered, model):
	table = engineered[f"{MODELS[model]}_input"]
	test = table[table["split"] == "test"]
	pipeline = modelled[f"{model}_model@release"].trained.pipeline
	predictions = modelled[f"modeling.{model}.predictions"].query("sample == 'test'")

	expected = pipeline.predict_proba(test[list(FEATURE_SETS[MODELS[model]].features)])[:, 1]
	assert predictions["loan_id"].tolist() == test["loan_id"].tolist()
	assert predictions["probability_of_default"].tolist() == pytest.approx(expected.tolist(), rel=1e-12)


def test_the_outcome_of_test_loans_does_not_reach_the_model(modelled, engineered, ingested):
	def flip(table):
		held_out = table["split"] == "test"
		flipped = (1 - table["is_charged_off"]).astype("int8")
		return table.assign(is_charged_off=table["is_charged_off"].mask(held_out, flipped))

	inputs = {
		name: flip(table) if name.endswith("_input") else table
		for name, table in modeling_inputs(engineered, ingested).items()
	}
	other = run("modeling", inputs)

	for model in MODELS:
		found, expected = (made[f"modeling.{model}.logistic"] for made in (other, modelled))
		assert found.hyperparameters == expected.hyperparameters
		assert found.threshold == pytest.approx(expected.threshold)
		pd.testing.assert_frame_equal(other[f"modeling.{model}.coefficients"], modelled[f"modeling.{model}.coefficients"])
	for model in FOR_LENDING:
		# Nor do they choose between the logistic regression and its challenger.
		evidence = [
			[c["evidence"] for c in made[f"modeling.{model}.promotion"]["challenger"]["conditions"][:-1]]
			for made in (other, modelled)
		]
		assert evidence[0] == evidence[1]


@pytest.mark.parametrize("model", FOR_LENDING)
def test_the_first_models_for_lending_are_promoted_where_they_meet_the_conditions(modelled, model):
	promotion = modelled[f"modeling.{model}.promotion"]
	verdict, challenger = promotion["champion"], promotion["challenger"]

	assert verdict["incumbent"] == ""
	assert verdict["promoted"] == all(c["holds"] for c in verdict["conditions"])
	assert [c["name"] for c in verdict["conditions"]] == ["enough charge-offs", "leakage gate", "calibrated"]
	assert (challenger["candidate"], challenger["incumbent"]) == ("boosting", "logistic")


@pytest.mark.parametrize("model", MODELS)
def test_a_release_carries_the_predictions_and_verdicts_that_it_was_judged_by(modelled, model):
	release, promotion = (modelled[f"{model}_model@release"], modelled[f"modeling.{model}.promotion"])

	assert isinstance(release, Release)
	assert release.predictions is modelled[f"modeling.{model}.predictions"]
	assert release.verdicts[-1].as_dict() == promotion["champion"]
	assert (promotion["challenger"] is not None) == (model in FOR_LENDING)
	assert len(release.verdicts) == 1 + (promotion["challenger"] is not None)
	won = promotion["challenger"] and promotion["challenger"]["promoted"]
	assert release.trained.facts.kind == ("boosting" if won else "logistic")


@pytest.mark.parametrize(
	("origin", "with_digest", "failed"),
	[
		("simulated", True, {"a new model"}),
		# As an earlier release left it.
		("simulated", False, {"better log-loss", "better AUC"}),
		("real", True, set()),
	],
	ids=["the same model", "without a digest", "of another origin"],
)
def test_the_same_loans_again_do_not_move_the_champion_of_their_origin(
	modelled, engineered, ingested, origin, with_digest, failed
):
	model = modelled["lending_model@release"]
	digest = digest_model(model.trained, model.predictions) if with_digest else ""
	champion = Champion("loantap-lending 7", model.trained, model.predictions, digest)
	inputs = modeling_inputs(engineered, ingested, {"lending": {origin: champion}})

	verdicts, _ = judge_promotion(
		inputs["lending_input"],
		modelled["modeling.lending.contest"],
		modelled["modeling.lending.trained"],
		inputs["leakage_report"],
		inputs["modeling.champions"],
		inputs["target"],
		load_options()["params:modeling.lending"],
	)

	verdict = verdicts[-1].as_dict()
	assert verdict["incumbent"] == ("loantap-lending 7" if failed else "")
	assert {c["name"] for c in verdict["conditions"] if not c["holds"]} >= failed
	assert not (verdict["promoted"] and failed)
	assert ("same data, same model as" in str(verdict)) is (failed == {"a new model"})
