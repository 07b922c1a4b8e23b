import json
import logging
import re
from copy import deepcopy
from dataclasses import replace

import mlflow
import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError

from loantap.datasets import ChampionDataset, ChampionsDataset, LastTrainingDataset, RegisteredModelDataset
from loantap.model.scoring.scorer import NotForLendingError
from loantap.portfolio.errors import InputError
from loantap.registry.connection import RegistryDownError
from loantap.registry.history import restore
from loantap.registry.loading import forget_registered
from loantap.registry.models import ModelVersion, find_champion
from tests.conftest import train, training_options
from tests.registry.registered import (
	PREDICTIONS,
	artifacts_of,
	champions,
	make_champion,
	make_release,
	tags_of,
	with_facts,
)

pytestmark = pytest.mark.usefixtures("active_run")


@pytest.fixture
def dataset():
	return RegisteredModelDataset(namespace="lending")


def versions(name="loantap-lending-demo"):
	found = mlflow.MlflowClient().search_model_versions(f"name = '{name}'")
	return sorted(str(version.version) for version in found)


def aliases(name):
	found = mlflow.MlflowClient().get_registered_model(name).aliases
	return {alias: str(version) for alias, version in found.items()}


@pytest.fixture
def newcomer(lending_model):
	return with_facts(lending_model, threshold=0.3)


@pytest.fixture(scope="module")
def benchmark_model(simulated_loans):
	return train(simulated_loans, training_options("benchmark"))


def test_the_alias_moves_when_the_run_is_published(dataset, lending_model, newcomer):
	dataset.save(make_release(lending_model))
	dataset.publish()
	assert champions() == {"loantap-lending-demo": "1"}

	dataset.save(make_release(newcomer))
	assert champions() == {"loantap-lending-demo": "1"}
	dataset.publish()
	assert champions() == {"loantap-lending-demo": "2"}


def test_a_version_that_is_not_promoted_leaves_the_alias_and_the_run_says_why(dataset, lending_model, newcomer, caplog):
	make_champion(lending_model)
	dataset.save(make_release(newcomer, promoted=False))
	dataset.publish()

	assert champions() == {"loantap-lending-demo": "1"}
	assert "version 2 is registered but not made champion: the new model" in caplog.text
	assert "calibrated: ECE 0.0310 out of fold on 3,600 loans" in caplog.text


def test_a_failed_run_moves_no_alias(dataset, lending_model, newcomer):
	make_champion(lending_model)
	dataset.save(make_release(newcomer))
	dataset.discard()
	dataset.publish()
	mlflow.end_run("FAILED")

	assert champions() == {"loantap-lending-demo": "1"}
	assert ChampionDataset(namespace="lending").load().version == "1"


def test_a_model_of_simulated_loans_never_takes_the_alias_of_a_real_one(dataset, lending_model):
	make_champion(with_facts(lending_model, origin="real"))
	dataset.save(make_release(lending_model))
	dataset.publish()

	assert champions() == {"loantap-lending": "1", "loantap-lending-demo": "1"}
	assert ChampionDataset(namespace="lending").load().name == "loantap-lending"


def test_a_model_of_another_namespace_is_refused(lending_model):
	with pytest.raises(DatasetError, match="a model that was trained for lending cannot be saved here"):
		RegisteredModelDataset(namespace="application").save(make_release(lending_model))


def test_a_model_whose_reasons_do_not_add_up_is_not_registered(dataset, lending_model):
	reference = (*lending_model.facts.reference[:-1], np.nan)
	broken = with_facts(lending_model, reference=reference)

	with pytest.raises(DatasetError, match="reasons of lending do not add up"):
		dataset.save(make_release(broken))
	assert mlflow.MlflowClient().search_registered_models() == []


def test_the_same_model_is_not_registered_again_and_nothing_of_its_version_changes(dataset, lending_model, caplog):
	make_champion(lending_model)
	before = tags_of(ModelVersion("loantap-lending-demo", "1"))
	# Sums repeat but for the last bit.
	pipeline = deepcopy(lending_model.pipeline)
	pipeline[-1].coef_ = np.nextafter(pipeline[-1].coef_, 1)
	again = replace(lending_model, pipeline=pipeline)

	with caplog.at_level(logging.INFO):
		dataset.save(make_release(again, promoted=False))
		found, made = dataset.saved, dataset.registered
		dataset.publish()

	assert (str(found), made) == ("loantap-lending-demo version 1", None)
	assert versions() == ["1"]
	assert champions() == {"loantap-lending-demo": "1"}
	assert tags_of(ModelVersion("loantap-lending-demo", "1")) == before
	told = "loantap-lending-demo version 1: same data, same model: nothing new registered"
	assert told in caplog.text
	assert "not made champion" not in caplog.text


@pytest.mark.parametrize("changed", ["fact", "prediction", "coefficient", "outcome"])
def test_whatever_differs_makes_a_new_version(changed, dataset, lending_model):
	make_champion(lending_model)
	release = make_release(lending_model)
	predictions = release.predictions.copy()
	if changed == "fact":
		release = replace(release, trained=with_facts(lending_model, threshold=0.3))
	if changed == "prediction":
		predictions.loc[0, "probability_of_default"] += 1e-8
	if changed == "outcome":
		predictions.loc[0, "is_charged_off"] = True
	if changed == "coefficient":
		pipeline = deepcopy(lending_model.pipeline)
		pipeline[-1].coef_[0, 0] += 1e-8
		release = replace(release, trained=replace(lending_model, pipeline=pipeline))

	dataset.save(replace(release, predictions=predictions))

	assert str(dataset.registered) == "loantap-lending-demo version 2"


def test_the_same_model_one_that_was_kept_becomes_champion_when_the_rule_says_so_now(dataset, lending_model, newcomer):
	make_champion(lending_model)
	for promoted in (False, True):
		dataset.save(make_release(newcomer, promoted=promoted))
		dataset.publish()

	assert versions() == ["1", "2"]
	assert champions() == {"loantap-lending-demo": "2"}


@pytest.mark.parametrize("is_restored", [True, False])
def test_a_version_that_was_restored_is_not_displaced_without_a_word(
	dataset, lending_model, newcomer, caplog, is_restored
):
	first = make_champion(lending_model)
	if is_restored:
		make_champion(lending_model)
		restore(first, who="A. Officer", reason="drift")
	dataset.save(make_release(newcomer, promoted=True))
	dataset.publish()

	assert champions() == {"loantap-lending-demo": "3" if is_restored else "2"}
	told = f"takes the place of {first}, which was restored on 20"
	assert (told in caplog.text) == is_restored


def test_the_same_model_one_since_which_another_was_registered_is_registered_again(dataset, lending_model, newcomer):
	third = with_facts(lending_model, threshold=0.4)
	make_champion(lending_model)
	for model in (newcomer, third, newcomer):
		dataset.save(make_release(model, promoted=False))
		dataset.publish()

	assert versions() == ["1", "2", "3", "4"]


def test_a_run_that_failed_leaves_no_version_that_counts(dataset, lending_model):
	dataset.save(make_release(lending_model))
	dataset.discard()
	dataset.save(make_release(lending_model))

	assert str(dataset.registered) == "loantap-lending-demo version 2"


def test_the_same_model_one_whose_file_is_damaged_is_registered_again(dataset, lending_model):
	(artifacts_of(make_champion(lending_model)) / "model.skops").write_bytes(b"no archive")

	dataset.save(make_release(lending_model))

	assert str(dataset.registered) == "loantap-lending-demo version 2"


NAME = "loantap-benchmark-demo"


def test_models_not_for_lending_are_marked_never_called_champion_and_never_score(benchmark_model):
	dataset = RegisteredModelDataset(namespace="benchmark")
	dataset.save(make_release(benchmark_model))
	dataset.publish()

	assert str(find_champion(NAME)) == f"{NAME} version 1"
	assert aliases(NAME) == {"best-not-for-lending": "1"}
	registered = mlflow.MlflowClient().get_registered_model(NAME)
	version = mlflow.MlflowClient().get_model_version(NAME, "1")
	assert "SIMULATED" in registered.description
	assert "simulated loans" in version.description
	for described in (registered, version):
		assert "NOT FOR LENDING" in described.description
	assert version.tags["not_for_lending"] == "true"
	with pytest.raises(DatasetError, match="no lending decision may rest on") as refused:
		ChampionDataset(namespace="benchmark").load()
	assert isinstance(refused.value.__cause__, NotForLendingError)


@pytest.mark.parametrize("again", [True, False], ids=["the same model", "a worse one"])
def test_a_champion_of_an_earlier_release_is_renamed_by_the_next_run(again, benchmark_model):
	make_champion(benchmark_model)
	client = mlflow.MlflowClient()
	client.delete_registered_model_alias(NAME, "best-not-for-lending")
	client.set_registered_model_alias(NAME, "champion", "1")
	assert str(find_champion(NAME)) == f"{NAME} version 1"

	dataset = RegisteredModelDataset(namespace="benchmark")
	next_model = benchmark_model if again else with_facts(benchmark_model, threshold=0.3)
	dataset.save(make_release(next_model, promoted=False))
	dataset.publish()

	assert aliases(NAME) == {"best-not-for-lending": "1"}


class TestTheModelThatDecides:
	@pytest.fixture
	def champion(self):
		return ChampionDataset(namespace="lending")

	def test_what_a_run_registers_is_not_loaded_under_that_name(self, dataset, lending_model):
		dataset.save(make_release(lending_model))

		with pytest.raises(DatasetError, match="lending_model@champion to score"):
			dataset.load()

	@pytest.mark.parametrize(
		"champion",
		[ChampionDataset(namespace="lending"), ChampionsDataset(), LastTrainingDataset(namespace="lending")],
		ids=["one", "all", "last"],
	)
	def test_promotion_makes_a_champion_and_saving_does_not(self, champion):
		with pytest.raises(DatasetError, match="promotion makes a champion"):
			champion.save({})

	@pytest.mark.parametrize(
		"forget", [mlflow.end_run, forget_registered], ids=["another run", "a run of MLflow that goes on, as in a notebook"]
	)
	def test_what_failed_does_not_decide_later(self, forget, champion, dataset, lending_model, newcomer):
		make_champion(lending_model)
		dataset.save(make_release(newcomer, promoted=True))
		dataset.discard()
		forget()

		assert champion.load().version == "1"

	def test_where_there_is_no_champion_a_version_that_is_not_promoted_decides_on_nobody(
		self, champion, dataset, lending_model
	):
		dataset.save(make_release(lending_model, promoted=False))

		with pytest.raises(DatasetError) as refused:
			champion.load()
		cause = refused.value.__cause__
		assert isinstance(cause, InputError)
		assert re.search(r"makes no decisions .*calibrated: ECE 0\.0310", cause.problem)

	@pytest.mark.parametrize(
		("before", "newest", "promoted", "scores"),
		[
			(None, "simulated", True, "loantap-lending-demo 1"),
			("simulated", "simulated", True, "loantap-lending-demo 2"),
			("simulated", "simulated", False, "loantap-lending-demo 1"),
			("simulated", "real", True, "loantap-lending 1"),
			("real", "real", True, "loantap-lending 2"),
			("real", "simulated", True, "loantap-lending 1"),
		],
	)
	def test_what_a_run_promotes_decides_unless_it_is_a_demo_beside_a_real_champion(
		self, before, newest, promoted, scores, champion, dataset, lending_model, newcomer
	):
		if before:
			make_champion(with_facts(lending_model, origin=before))
		dataset.save(make_release(with_facts(newcomer, origin=newest), promoted=promoted))

		scorer = champion.load()

		assert f"{scorer.name} {scorer.version}" == scores

	def test_where_nothing_is_registered_both_names_and_the_remedy_are_told(self, champion):
		assert not champion.exists()
		with pytest.raises(DatasetError) as refused:
			champion.load()
		cause = refused.value.__cause__
		assert isinstance(cause, InputError)
		assert "sqlite:///" in cause.where
		assert cause.problem == "no champion named loantap-lending or loantap-lending-demo"
		assert "kedro run" in cause.remedy


class TestChampions:
	@pytest.fixture
	def champions(self):
		return ChampionsDataset()

	def test_without_any_there_are_none_and_training_can_begin(self, champions):
		assert champions.exists()
		assert {model: load() for model, load in champions.load().items()} == {
			"benchmark": {},
			"published_replica": {},
			"lending": {},
			"application": {},
		}

	def test_each_origin_has_its_own_with_the_predictions_it_became_champion_with(self, champions, lending_model):
		make_champion(lending_model)
		make_champion(with_facts(lending_model, origin="real"))
		make_champion(with_facts(lending_model, origin="real"))

		found = champions.load()["lending"]()

		assert {origin: champion.label for origin, champion in found.items()} == {
			"real": "loantap-lending version 2",
			"simulated": "loantap-lending-demo version 1",
		}
		assert found["real"].digest == tags_of(ModelVersion("loantap-lending", "2"))["digest"]
		pd.testing.assert_frame_equal(found["real"].predictions, PREDICTIONS, check_dtype=False, check_exact=True)

	@pytest.mark.parametrize("content", [None, b"not what it was"], ids=["absent", "damaged"])
	def test_one_without_predictions_comes_with_an_empty_table(self, content, champions, lending_model, caplog):
		path = artifacts_of(make_champion(lending_model)) / "evidence" / "predictions.parquet"
		path.unlink()
		if content:
			path.write_bytes(content)

		champion = champions.load()["lending"]()["simulated"]

		assert champion.trained is not None
		assert champion.predictions.empty
		assert {"loan_id", "sample", "probability_of_default"} <= set(champion.predictions)
		told = "model loantap-lending-demo version 1: its predictions.parquet is damaged"
		assert (told in caplog.text) == (content is not None)

	def test_one_whose_model_is_unreadable_is_judged_by_the_predictions_it_left(self, champions, lending_model, caplog):
		model = make_champion(lending_model)
		(artifacts_of(model) / "model.skops").write_bytes(b"not what it was")

		champion = champions.load()["lending"]()["simulated"]

		assert (champion.trained, champion.digest) == (None, "")
		assert not champion.predictions.empty
		assert "compared with the champion's stored predictions" in caplog.text

	def test_one_that_is_wholly_unreadable_counts_as_none_so_that_another_can_be_trained(
		self, champions, lending_model, caplog
	):
		model = make_champion(lending_model)
		for damaged in ("model.skops", "evidence/predictions.parquet"):
			(artifacts_of(model) / damaged).write_bytes(b"not what it was")

		assert champions.load()["lending"]() == {}
		assert "judged as if there were no champion" in caplog.text

	def test_one_with_features_of_another_release_counts_as_none_whatever_it_predicted(
		self, champions, lending_model, caplog
	):
		"""It can never decide again; a model without them need not be better than it was."""
		make_champion(with_facts(lending_model, feature_set="application"))

		assert champions.load()["lending"]() == {}
		assert "which had other features" in caplog.text
		assert "judged as if there were no champion" in caplog.text

	def test_a_registry_that_is_down_stops_training(self, champions, monkeypatch):
		monkeypatch.setattr(mlflow, "get_registry_uri", lambda: "sqlite:///nowhere/mlflow.db")

		load = champions.load()["lending"]
		with pytest.raises(RegistryDownError, match="it does not answer"):
			load()


class TestLastTraining:
	REPORT = json.dumps(
		{
			"target": {"name": "charged_off", "loans": 9},
			"features": [
				{"feature": "purpose", "n": 9, "groups": 2, "auc": 0.6, "auc_low": 0.6 - 0.0196, "auc_in_sample": 0.7}
			],
		}
	)

	@pytest.fixture
	def last(self):
		return LastTrainingDataset(namespace="lending")

	def keep(self, trained, content):
		model = make_champion(trained)
		if content is not None:
			(artifacts_of(model) / "evidence" / "leakage_report.json").write_text(content, "utf-8")

	def test_it_is_that_of_the_champion_of_the_origin(self, last, lending_model):
		assert last.exists()
		assert [load() for load in last.load().values()] == [None, None]

		self.keep(with_facts(lending_model, origin="real"), self.REPORT)
		assert last.load()["simulated"]() is None
		found = last.load()["real"]()
		assert found.label == "loantap-lending version 1"
		assert [(s.feature, s.n, s.auc, round(s.standard_error, 4)) for s in found.features] == [("purpose", 9, 0.6, 0.01)]

	@pytest.mark.parametrize(
		("content", "told"), [(None, "is missing"), ("{", "JSON"), ('{"features": []}', "target")], ids=str
	)
	def test_a_champion_without_a_readable_one_says_so_and_stops_nothing(
		self, content, told, last, lending_model, caplog
	):
		self.keep(lending_model, content)

		assert last.load()["simulated"]() is None
		assert "No feature is compared with the training of loantap-lending-demo version 1" in caplog.text
		assert told in caplog.text

	def test_a_registry_that_is_down_stops_the_gate(self, last, monkeypatch):
		monkeypatch.setattr(mlflow, "get_registry_uri", lambda: "sqlite:///nowhere/mlflow.db")

		load = last.load()["real"]
		with pytest.raises(RegistryDownError, match="it does not answer"):
			load()
