import zipfile
from dataclasses import replace

import mlflow
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import skops.io

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model.promotion.rule import Verdict
from loantap.model.scoring.trained import make_trained_model
from loantap.model.training.train import feature_names, train_challenger
from loantap.registry.descriptions import describe_registered
from loantap.registry.history import read_verdicts
from loantap.registry.models import TRUSTED_TYPES, find_champion, log_model, register
from loantap.registry.reading import load_predictions, load_version
from tests.conftest import CHALLENGER, training_options
from tests.registry.registered import PREDICTIONS, artifacts_of, make_release, tags_of, with_facts

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
