"""A model is logged, registered, promoted and loaded again, and predicts the same."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE

from loantap.datasets import RegisteredModelDataset
from loantap.datasets.registered_model import LEAST_CHARGE_OFFS
from loantap.datasets.staged import Publishable
from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model.scorer import NotForLendingError, Scorer
from loantap.model.trained import TrainedModel
from loantap.portfolio.errors import InputError
from loantap.registry.models import (
    CHAMPION,
    ModelVersion,
    find_champion,
    load_best,
    load_version,
    log_model,
    promote,
    registered_name,
)
from tests.conftest import train, training_options

pytestmark = pytest.mark.usefixtures("active_run")


def with_origin(trained: TrainedModel, origin: str) -> TrainedModel:
    return replace(trained, facts=trained.facts.model_copy(update={"origin": origin}))


def champions() -> dict[str, str]:
    """Version of every champion, by registered name."""
    models = mlflow.MlflowClient().search_registered_models()
    return {m.name: str(m.aliases[CHAMPION]) for m in models if CHAMPION in m.aliases}


@pytest.fixture
def dataset() -> RegisteredModelDataset:
    return RegisteredModelDataset(namespace="lending")


@pytest.fixture
def features(simulated_loans: pd.DataFrame) -> pd.DataFrame:
    return build_features(simulated_loans, FEATURE_SETS["lending"].features)


@pytest.mark.parametrize(
    ("namespace", "origin", "name"),
    [
        ("lending", "real", "loantap-lending"),
        ("lending", "simulated", "loantap-lending-demo"),
        ("published_replica", "real", "loantap-published-replica"),
        ("published_replica", "simulated", "loantap-published-replica-demo"),
    ],
)
def test_models_of_simulated_loans_have_names_of_their_own(
    namespace: str, origin: str, name: str
) -> None:
    assert registered_name(namespace, origin) == name


def test_a_model_that_is_loaded_again_predicts_the_same(
    lending_model: TrainedModel, features: pd.DataFrame
) -> None:
    promote(log_model(lending_model))

    loaded, model = load_best("lending")

    assert model == ModelVersion("loantap-lending-demo", "1")
    assert loaded.facts == lending_model.facts
    np.testing.assert_allclose(
        loaded.pipeline.predict_proba(features),
        lending_model.pipeline.predict_proba(features),
        rtol=0,
        atol=1e-12,
    )


def test_the_example_comes_back_as_it_was(lending_model: TrainedModel) -> None:
    loaded = load_version(log_model(lending_model))

    pd.testing.assert_frame_equal(loaded.example, lending_model.example, check_dtype=False)


def test_the_file_is_skops_and_nothing_is_pickled(
    lending_model: TrainedModel, registry: Path
) -> None:
    log_model(lending_model)

    files = {file.name for file in registry.rglob("*") if file.is_file()}
    assert {"MLmodel", "model.skops", "input_example.json"} <= files
    assert not [name for name in files if name.endswith((".pkl", ".pickle", ".joblib"))]
    described = next(registry.rglob("MLmodel")).read_text("utf-8")
    assert "serialization_format: skops" in described
    assert "cloudpickle" not in described
    requirements = next(registry.rglob("requirements.txt")).read_text("utf-8")
    assert "cloudpickle" not in requirements


def test_no_code_but_trusted_types_is_in_the_file(
    lending_model: TrainedModel, registry: Path
) -> None:
    import skops.io

    log_model(lending_model)

    untrusted = skops.io.get_untrusted_types(file=next(registry.rglob("model.skops")))
    assert set(untrusted) <= {"numpy.dtype"}


def test_signature_and_example_go_with_the_model(lending_model: TrainedModel) -> None:
    model = log_model(lending_model)

    info = mlflow.models.get_model_info(f"models:/{model.name}/{model.version}")
    columns = list(FEATURE_SETS["lending"].features)
    assert info.signature.inputs.input_names() == columns
    assert info.signature.outputs is not None
    numeric = set(FEATURE_SETS["lending"].numeric)
    assert {spec.name for spec in info.signature.inputs if spec.type.name == "double"} == numeric


def test_the_example_is_nobodys_application(
    lending_model: TrainedModel, registry: Path, features: pd.DataFrame
) -> None:
    log_model(lending_model)

    stored = json.loads(next(registry.rglob("input_example.json")).read_text("utf-8"))
    row = dict(zip(stored["columns"], stored["data"][0], strict=True))
    assert len(stored["data"]) == 1
    assert row["log_annual_income"] == pytest.approx(features["log_annual_income"].median())


def test_no_training_row_is_in_the_model(lending_model: TrainedModel, registry: Path) -> None:
    """The sampler, which would carry applicants' rows, is gone; no array has a value per loan."""
    loaded = load_version(log_model(lending_model))

    assert [name for name, _ in loaded.pipeline.steps] == ["preprocess", "classify"]
    with zipfile.ZipFile(next(registry.rglob("model.skops"))) as file:
        sizes = [entry.file_size for entry in file.infolist() if entry.filename.endswith(".npy")]
    assert sizes
    assert max(sizes) < lending_model.facts.training_loans


def test_a_version_tells_origin_and_feature_set(lending_model: TrainedModel) -> None:
    model = log_model(with_origin(lending_model, "real"))

    version = mlflow.MlflowClient().get_model_version(model.name, model.version)
    assert version.tags == {
        "origin": "real",
        "feature_set": "lending",
        "not_for_lending": "false",
    }


def test_saving_moves_no_alias(
    dataset: RegisteredModelDataset, lending_model: TrainedModel
) -> None:
    dataset.save(lending_model)

    assert champions() == {}


def test_the_alias_moves_when_the_run_is_published(
    dataset: RegisteredModelDataset, lending_model: TrainedModel
) -> None:
    dataset.save(lending_model)
    dataset.publish()
    assert champions() == {"loantap-lending-demo": "1"}

    dataset.save(lending_model)
    assert champions() == {"loantap-lending-demo": "1"}
    dataset.publish()
    assert champions() == {"loantap-lending-demo": "2"}


def test_a_failed_run_moves_no_alias(
    dataset: RegisteredModelDataset, lending_model: TrainedModel
) -> None:
    dataset.save(lending_model)
    dataset.publish()
    dataset.save(lending_model)
    dataset.discard()
    dataset.publish()

    assert champions() == {"loantap-lending-demo": "1"}
    assert dataset.load().version == "1"


def test_within_a_run_the_model_it_saved_is_loaded(
    dataset: RegisteredModelDataset, lending_model: TrainedModel
) -> None:
    dataset.save(lending_model)
    dataset.publish()
    dataset.save(lending_model)

    assert dataset.load().version == "2"
    assert RegisteredModelDataset(namespace="lending").load().version == "1"


def test_a_champion_of_real_loans_is_preferred(
    dataset: RegisteredModelDataset, lending_model: TrainedModel
) -> None:
    promote(log_model(with_origin(lending_model, "simulated")))
    assert dataset.load().name == "loantap-lending-demo"

    promote(log_model(with_origin(lending_model, "real")))
    assert dataset.load().name == "loantap-lending"


def test_a_model_of_simulated_loans_never_takes_the_alias_of_a_real_one(
    dataset: RegisteredModelDataset, lending_model: TrainedModel
) -> None:
    promote(log_model(with_origin(lending_model, "real")))

    dataset.save(with_origin(lending_model, "simulated"))
    dataset.publish()

    assert champions() == {"loantap-lending": "1", "loantap-lending-demo": "1"}
    assert dataset.load().name == "loantap-lending"


@pytest.mark.parametrize(
    ("champion", "newest", "scores"),
    [
        (None, "simulated", "loantap-lending-demo 1"),
        ("simulated", "simulated", "loantap-lending-demo 2"),
        ("simulated", "real", "loantap-lending 1"),
        ("real", "real", "loantap-lending 2"),
        ("real", "simulated", "loantap-lending 1"),
    ],
)
def test_what_a_run_has_just_trained_scores_unless_it_is_a_demo_beside_a_real_champion(
    champion: str | None,
    newest: str,
    scores: str,
    dataset: RegisteredModelDataset,
    lending_model: TrainedModel,
) -> None:
    if champion:
        promote(log_model(with_origin(lending_model, champion)))
    dataset.save(with_origin(lending_model, newest))

    scorer = dataset.load()

    assert f"{scorer.name} {scorer.version}" == scores


def test_a_registry_that_fails_is_no_registry_without_a_champion(
    lending_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To go on would score with a demo model beside a real one."""
    promote(log_model(with_origin(lending_model, "simulated")))
    asked = mlflow.MlflowClient.get_model_version_by_alias

    def fail(client: mlflow.MlflowClient, name: str, alias: str) -> object:
        if name == "loantap-lending":
            raise MlflowException("the server is down", TEMPORARILY_UNAVAILABLE)
        return asked(client, name, alias)

    monkeypatch.setattr(mlflow.MlflowClient, "get_model_version_by_alias", fail)
    with pytest.raises(MlflowException, match="the server is down"):
        find_champion("lending")


def test_a_model_that_saw_too_few_charge_offs_is_registered_but_not_made_champion(
    dataset: RegisteredModelDataset, lending_model: TrainedModel, caplog: pytest.LogCaptureFixture
) -> None:
    few = lending_model.facts.model_copy(update={"training_charge_offs": LEAST_CHARGE_OFFS - 1})
    dataset.save(replace(lending_model, facts=few))
    dataset.publish()

    assert champions() == {}
    assert mlflow.MlflowClient().get_model_version("loantap-lending-demo", "1")
    assert "not made champion: 99 charge-offs in training are fewer than 100" in caplog.text


def test_a_model_of_another_namespace_is_refused(lending_model: TrainedModel) -> None:
    with pytest.raises(DatasetError, match="a model of lending was given"):
        RegisteredModelDataset(namespace="application").save(lending_model)


def test_a_model_whose_reasons_do_not_add_up_is_not_registered(
    dataset: RegisteredModelDataset, lending_model: TrainedModel
) -> None:
    reference = tuple(value + 1 for value in lending_model.facts.reference)
    facts = lending_model.facts.model_copy(update={"reference": (*reference[:-1], np.nan)})

    with pytest.raises(DatasetError, match="reasons of lending do not add up"):
        dataset.save(replace(lending_model, facts=facts))
    assert mlflow.MlflowClient().search_registered_models() == []


def test_a_version_without_the_alias_is_no_champion(
    dataset: RegisteredModelDataset, lending_model: TrainedModel
) -> None:
    log_model(lending_model)

    assert find_champion("lending") is None
    assert not dataset.exists()


def test_where_nothing_is_registered_both_names_and_the_remedy_are_told(
    dataset: RegisteredModelDataset,
) -> None:
    assert not dataset.exists()
    with pytest.raises(DatasetError) as refused:
        dataset.load()
    cause = refused.value.__cause__
    assert isinstance(cause, InputError)
    assert "sqlite:///" in cause.where
    assert cause.problem == "no champion named loantap-lending or loantap-lending-demo"
    assert "kedro run" in cause.remedy


@pytest.fixture(scope="module")
def benchmark_model(simulated_loans: pd.DataFrame) -> TrainedModel:
    return train(simulated_loans, training_options("benchmark"))


def test_the_benchmark_is_marked_and_never_scores(benchmark_model: TrainedModel) -> None:
    dataset = RegisteredModelDataset(namespace="benchmark")
    dataset.save(benchmark_model)
    dataset.publish()

    version = mlflow.MlflowClient().get_model_version("loantap-benchmark-demo", "1")
    assert version.tags["not_for_lending"] == "true"
    with pytest.raises(DatasetError, match="must not be lent on") as refused:
        dataset.load()
    assert isinstance(refused.value.__cause__, NotForLendingError)


def test_a_benchmark_under_another_name_is_refused_all_the_same(
    benchmark_model: TrainedModel,
) -> None:
    with pytest.raises(NotForLendingError, match="loantap-lending version 7"):
        Scorer(benchmark_model, "loantap-lending", "7")


def test_a_model_holds_back_its_alias_like_a_file(dataset: RegisteredModelDataset) -> None:
    assert isinstance(dataset, Publishable)
