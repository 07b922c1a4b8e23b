import logging
import shutil
import zipfile
from dataclasses import replace

import mlflow
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import sklearn
import skops.io
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model.promotion.rule import Verdict
from loantap.model.scoring.trained import make_trained_model
from loantap.model.training.train import feature_names, train_challenger
from loantap.registry import reading
from loantap.registry.connection import RegistryDownError
from loantap.registry.history import read_verdicts
from loantap.registry.models import TRUSTED_TYPES, ModelVersion, describe_registered, find_champion, log_model, register
from loantap.registry.reading import UnreadableModelError, load_predictions, load_version, read_model
from tests.conftest import CHALLENGER, training_options
from tests.registry.registered import (
	PREDICTIONS,
	artifacts_of,
	forget_facts,
	forget_flavors,
	make_champion,
	make_facts_old,
	make_facts_untrue,
	make_release,
	name_no_kind,
	name_no_loader,
	put_another_model,
	put_another_object,
	say_scikit_learn,
	shorten,
	shorten_reference,
	tags_of,
	take_other_features,
	trust_itself,
	with_facts,
)

pytestmark = pytest.mark.usefixtures("active_run")


@pytest.fixture(scope="module")
def boosting_model(simulated_loans):
	options = training_options("lending", challenger=CHALLENGER)
	names = feature_names(options)
	rows = simulated_loans[["loan_id", "is_charged_off"]].join(build_features(simulated_loans, names))
	return make_trained_model(train_challenger(rows, options), rows[names], "simulated", options)


@pytest.fixture
def features(simulated_loans):
	return build_features(simulated_loans, FEATURE_SETS["lending"].features)


def test_the_file_is_skops_nothing_is_pickled_and_all_of_it_is_trusted(lending_model, registry):
	log_model(lending_model)

	files = {file.name: file for file in registry.rglob("*") if file.is_file()}
	assert {"MLmodel", "model.skops", "input_example.json"} <= set(files)
	assert not [name for name in files if name.endswith((".pkl", ".pickle", ".joblib"))]
	described = files["MLmodel"].read_text("utf-8")
	assert "serialization_format: skops" in described
	assert "float64" in described  # what it returns, in its signature
	assert "cloudpickle" not in described + files["requirements.txt"].read_text("utf-8")
	untrusted = skops.io.get_untrusted_types(file=files["model.skops"])
	assert set(untrusted) <= set(TRUSTED_TYPES)


def test_no_training_row_is_in_the_model(lending_model, registry):
	"""The sampler, which would carry applicants' rows, is gone; no array has a value per loan."""
	loaded = load_version(log_model(lending_model))

	assert [name for name, _ in loaded.pipeline.steps] == ["preprocess", "classify"]
	with zipfile.ZipFile(next(registry.rglob("model.skops"))) as file:
		sizes = [entry.file_size for entry in file.infolist() if entry.filename.endswith(".npy")]
	assert sizes
	assert max(sizes) < lending_model.facts.training_loans


def test_a_version_tells_its_origin_and_what_it_was_trained_on(active_run, lending_model):
	facts = {"origin": "real", "training_loans": 4_715, "training_charge_offs": 901}
	model = log_model(with_facts(lending_model, **facts))

	assert tags_of(model) == {
		"origin": "real",
		"feature_set": "lending",
		"kind": "logistic",
		"training_loans": "4715",
		"training_charge_offs": "901",
		"not_for_lending": "false",
		"target": "charged_off",
	}
	client = mlflow.MlflowClient()
	assert client.get_model_version(model.name, model.version).run_id == active_run.info.run_id
	assert client.get_registered_model(model.name).tags == {"origin": "real", "not_for_lending": "false"}


@pytest.mark.parametrize("before", ["", "Ours since 2019"])
def test_a_description_is_added_where_there_is_none(before, lending_model):
	client = mlflow.MlflowClient()
	client.create_registered_model("loantap-lending-demo", description=before)

	log_model(lending_model)

	told = client.get_registered_model("loantap-lending-demo").description
	assert told == (before or describe_registered(lending_model.facts))


@pytest.mark.parametrize("kind", ["lending_model", "boosting_model"])
def test_either_kind_of_model_comes_back_to_the_last_digit(kind, request, features):
	trained = request.getfixturevalue(kind)
	loaded = load_version(register(make_release(trained)))

	pd.testing.assert_frame_equal(loaded.example, trained.example, check_dtype=False)
	np.testing.assert_array_equal(loaded.pipeline.predict_proba(features), trained.pipeline.predict_proba(features))


def test_a_registered_version_keeps_predictions_and_verdict_and_is_no_champion_yet(lending_model):
	model = register(make_release(lending_model, promoted=False))

	kept = load_predictions(model)
	assert kept is not None
	pd.testing.assert_frame_equal(kept, PREDICTIONS, check_dtype=False, check_exact=True)
	columns = pq.read_schema(artifacts_of(model) / "evidence" / "predictions.parquet").names
	assert columns == list(PREDICTIONS)
	verdicts = read_verdicts(model)
	assert verdicts is not None
	assert verdicts["challenger"] is None
	assert [c["holds"] for c in verdicts["champion"]["conditions"]] == [True, False]
	assert find_champion("loantap-lending-demo") is None
	assert "promotion" not in tags_of(model)


def test_the_verdict_between_two_kinds_of_model_is_kept_beside_that_on_the_champion(lending_model):
	release = make_release(lending_model)
	contest = Verdict("boosting", "logistic", False, release.verdicts[0].conditions)

	verdicts = read_verdicts(register(replace(release, verdicts=(contest, *release.verdicts))))

	assert verdicts == {"challenger": contest.as_dict(), "champion": release.verdicts[0].as_dict()}


def test_two_runs_may_register_the_first_version_of_a_name_at_once(lending_model, monkeypatch):
	# Both have looked, and found nothing, before either makes the name.
	monkeypatch.setattr(mlflow.MlflowClient, "search_registered_models", lambda *_: [])

	versions = [log_model(lending_model).version for _ in range(2)]

	assert versions == ["1", "2"]


@pytest.mark.parametrize(
	("damage", "problem"),
	[
		pytest.param(shorten, r"file model\.skops is damaged \(BadZipFile", id="shortened"),
		pytest.param(name_no_kind, r"model\.skops is damaged \(KeyError", id="another schema"),
		pytest.param(name_no_loader, r"model\.skops is damaged \(Type", id="another protocol"),
		pytest.param(lambda f: (f / "model.skops").unlink(), "skops is missing", id="deleted"),
		pytest.param(lambda f: (f / "MLmodel").write_text("{"), "MLmodel is dam", id="description"),
		pytest.param(lambda f: (f / "input_example.json").write_text("{"), r"input_example\.json is damaged", id="example"),
		pytest.param(trust_itself, r"model\.skops is damaged .*Untrusted", id="code not trusted"),
		pytest.param(put_another_object, "cannot be served .*holds a FunctionTransformer", id="no pipeline"),
		pytest.param(put_another_model, "one effect per feature", id="another kind of model"),
		pytest.param(take_other_features, "which had other features", id="other features"),
		pytest.param(shorten_reference, "reasons has 2 values", id="another's facts"),
		pytest.param(make_facts_untrue, "do not add up to its PD", id="reasons do not add up"),
		pytest.param(make_facts_old, r"\(calibration.*candidate.*kind", id="earlier release"),
		pytest.param(forget_flavors, "saved by scikit-learn None", id="no flavors"),
		pytest.param(forget_facts, "not registered by this project", id="not ours"),
		pytest.param(
			lambda f: say_scikit_learn(f, "1.8.0"),
			f"saved by scikit-learn 1.8.0, and this is {sklearn.__version__}",
			id="scikit-learn before",
		),
	],
)
def test_a_model_that_cannot_be_used_says_why_and_what_to_do(damage, problem, lending_model):
	model = make_champion(lending_model)
	damage(artifacts_of(model))

	with pytest.raises(UnreadableModelError, match=problem) as refused:
		load_version(model)
	assert refused.value.where == "model loantap-lending-demo version 1"
	assert "`kedro run`" in refused.value.remedy
	assert "`loantap-models restore`" in refused.value.remedy
	assert "\n" not in str(refused.value)
	assert "pydantic" not in str(refused.value)


@pytest.mark.parametrize("name", ["model.skops", "MLmodel"])
def test_wherever_a_file_is_cut_or_changed_it_is_read_as_it_was_or_refused(name, lending_model, tmp_path):
	model = make_champion(lending_model)
	path = shutil.copytree(artifacts_of(model), tmp_path / "damaged") / name
	whole, chance = path.read_bytes(), np.random.default_rng(7)
	refused = 0
	for _ in range(60):
		place = int(chance.integers(len(whole)))
		changed = chance.bytes(min(100, len(whole) - place))
		for damaged in (whole[:place], whole[:place] + changed + whole[place + 100 :]):
			path.write_bytes(damaged)
			try:
				read_model(path.parent, model)
			except UnreadableModelError:
				refused += 1
	assert refused > 90


def test_an_error_of_our_own_is_not_taken_for_a_damaged_model(lending_model, monkeypatch):
	model = make_champion(lending_model)

	def fail(*_):
		raise TypeError("a mistake of ours")

	monkeypatch.setattr(reading, "check_servable", fail)

	with pytest.raises(TypeError, match="a mistake of ours"):
		load_version(model)


def test_a_patch_release_of_scikit_learn_is_told_and_goes_on(lending_model, caplog):
	model = make_champion(lending_model)
	minor = ".".join(sklearn.__version__.split(".")[:2])
	say_scikit_learn(artifacts_of(model), f"{minor}.99")

	with caplog.at_level(logging.WARNING):
		assert load_version(model).facts == lending_model.facts
	assert f"saved by scikit-learn {minor}.99, and this is {sklearn.__version__}" in caplog.text


def test_a_version_that_does_not_exist_is_missing(lending_model):
	make_champion(lending_model)

	with pytest.raises(UnreadableModelError, match="version 9: its file MLmodel is missing"):
		load_version(ModelVersion("loantap-lending-demo", "9"))


@pytest.mark.parametrize(
	("raised", "refused", "said"),
	[
		(OSError("disk full"), UnreadableModelError, r"MLmodel cannot be fetched \(disk full\)"),
		(MlflowException("too busy", TEMPORARILY_UNAVAILABLE), RegistryDownError, "too busy"),
	],
)
def test_a_file_that_cannot_be_had_is_told_apart_from_a_registry_that_is_down(raised, refused, said, monkeypatch):
	def fail(*_, **__):
		raise raised

	monkeypatch.setattr(mlflow.artifacts, "download_artifacts", fail)

	with pytest.raises(refused, match=said):
		load_version(ModelVersion("loantap-lending-demo", "1"))


def test_predictions_that_are_damaged_are_told_and_those_not_kept_are_none(lending_model):
	model = make_champion(lending_model)
	path = artifacts_of(model) / "evidence" / "predictions.parquet"
	path.write_bytes(b"PAR1 and no more")

	with pytest.raises(UnreadableModelError, match=r"predictions\.parquet is damaged"):
		load_predictions(model)
	path.unlink()
	assert load_predictions(model) is None


def test_nothing_is_read_through_mlflows_own_loader(lending_model, monkeypatch):
	"""It would load whatever serialisation, pickle among them, that the description names."""
	model = make_champion(lending_model)
	monkeypatch.setattr(mlflow.sklearn, "load_model", pytest.fail)

	assert load_version(model).facts == lending_model.facts
