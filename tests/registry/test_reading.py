import logging
import shutil

import mlflow
import numpy as np
import pytest
import sklearn
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE

from loantap.registry import reading
from loantap.registry.connection import RegistryDownError
from loantap.registry.models import ModelVersion
from loantap.registry.reading import UnreadableModelError, load_predictions, load_version, read_model
from tests.registry.damage import (
  forget_facts,
  forget_flavors,
  make_facts_old,
  make_facts_untrue,
  name_no_kind,
  name_no_loader,
  put_another_model,
  put_another_object,
  say_scikit_learn,
  shorten,
  shorten_reference,
  take_other_features,
  trust_itself,
)
from tests.registry.registered import artifacts_of, make_champion

pytestmark = pytest.mark.usefixtures("active_run")


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
