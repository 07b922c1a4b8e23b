"""A model that cannot be used is told from one that can, in words: which, why, and what to do."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest
import sklearn
import skops.io
import yaml
from sklearn.preprocessing import FunctionTransformer

from loantap.model.scoring.trained import TrainedModel
from loantap.registry.loading import load_champion
from loantap.registry.models import ModelVersion
from loantap.registry.reading import UnreadableModelError, load_predictions, load_version
from tests.registry.registered import artifacts_of, make_champion, with_facts

pytestmark = pytest.mark.usefixtures("active_run")

Damage = Callable[[Path], object]


def describe_anew(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the description that goes with a model."""
    path = folder / "MLmodel"
    described = yaml.safe_load(path.read_text("utf-8"))
    change(described)
    path.write_text(yaml.safe_dump(described), "utf-8")


def say_scikit_learn(folder: Path, version: str) -> None:
    def change(described: dict[str, Any]) -> None:
        described["flavors"]["sklearn"]["sklearn_version"] = version

    describe_anew(folder, change)


def make_facts_old(folder: Path) -> None:
    """As the release before this one wrote them."""

    def change(described: dict[str, Any]) -> None:
        facts = described["metadata"]["loantap"]
        facts["candidate"] = facts.pop("hyperparameters")
        del facts["kind"], facts["calibration"]

    describe_anew(folder, change)


def make_facts_untrue(folder: Path) -> None:
    """Reasons measured from a point that is no number."""

    def change(described: dict[str, Any]) -> None:
        described["metadata"]["loantap"]["reference"][-1] = float("nan")

    describe_anew(folder, change)


def forget_facts(folder: Path) -> None:
    describe_anew(folder, lambda described: described.pop("metadata"))


def shorten(folder: Path) -> None:
    path = folder / "model.skops"
    path.write_bytes(path.read_bytes()[:-1_000])


def flip_bytes(folder: Path) -> None:
    path = folder / "model.skops"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 50] = bytes(50)
    path.write_bytes(bytes(content))


def smuggle_code(folder: Path) -> None:
    skops.io.dump(FunctionTransformer(func=print), folder / "model.skops")


def put_another_model(folder: Path) -> None:
    skops.io.dump(FunctionTransformer(), folder / "model.skops")


UNUSABLE = [
    pytest.param(shorten, "its file is damaged", id="shortened"),
    pytest.param(flip_bytes, "its file is damaged", id="bytes flipped"),
    pytest.param(lambda f: (f / "model.skops").unlink(), "model.skops is missing", id="deleted"),
    pytest.param(lambda f: (f / "MLmodel").write_text("{"), "MLmodel is damaged", id="description"),
    pytest.param(
        lambda f: (f / "input_example.json").write_text("{"), "its file is damaged", id="example"
    ),
    pytest.param(smuggle_code, "its file is damaged .*Untrusted", id="code not trusted"),
    pytest.param(put_another_model, "it cannot be served", id="another kind of model"),
    pytest.param(make_facts_untrue, "do not add up to its PD", id="reasons do not add up"),
    pytest.param(make_facts_old, "trained by an earlier release", id="earlier release"),
    pytest.param(forget_facts, "not registered by this project", id="not ours"),
    pytest.param(
        lambda f: say_scikit_learn(f, "1.8.0"),
        f"saved by scikit-learn 1.8.0, and this is {sklearn.__version__}",
        id="scikit-learn before",
    ),
    pytest.param(
        lambda f: say_scikit_learn(f, "2.0.0"), "saved by scikit-learn 2.0.0", id="and after"
    ),
]


@pytest.mark.parametrize(("damage", "problem"), UNUSABLE)
def test_a_model_that_cannot_be_used_says_why_and_what_to_do(
    damage: Damage, problem: str, lending_model: TrainedModel
) -> None:
    model = make_champion(lending_model)
    damage(artifacts_of(model))

    with pytest.raises(UnreadableModelError, match=problem) as refused:
        load_version(model)
    assert refused.value.where == "model loantap-lending-demo version 1"
    assert "`kedro run`" in refused.value.remedy
    assert "`loantap-models restore`" in refused.value.remedy
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("damage", "problem"), UNUSABLE)
def test_such_a_champion_scores_nobody_where_no_other_was_kept(
    damage: Damage, problem: str, lending_model: TrainedModel
) -> None:
    damage(artifacts_of(make_champion(lending_model)))

    with pytest.raises(UnreadableModelError, match=problem):
        load_champion("lending")


def test_the_facts_that_another_release_does_not_know_are_named(
    lending_model: TrainedModel,
) -> None:
    model = make_champion(lending_model)
    make_facts_old(artifacts_of(model))

    with pytest.raises(UnreadableModelError) as refused:
        load_version(model)
    for fact in ("candidate", "calibration", "kind"):
        assert fact in refused.value.problem
    assert "pydantic" not in str(refused.value)


def test_a_model_with_features_that_are_no_more_is_of_an_earlier_release(
    lending_model: TrainedModel,
) -> None:
    model = make_champion(with_facts(lending_model, feature_set="application"))

    with pytest.raises(UnreadableModelError, match="earlier release, which had other features"):
        load_version(model)


def test_a_patch_release_of_scikit_learn_is_told_and_goes_on(
    lending_model: TrainedModel, caplog: pytest.LogCaptureFixture
) -> None:
    model = make_champion(lending_model)
    minor = ".".join(sklearn.__version__.split(".")[:2])
    say_scikit_learn(artifacts_of(model), f"{minor}.99")

    with caplog.at_level(logging.WARNING):
        assert load_version(model).facts == lending_model.facts
    assert f"saved by scikit-learn {minor}.99, and this is {sklearn.__version__}" in caplog.text


def test_a_file_that_trusts_itself_is_not_trusted(lending_model: TrainedModel) -> None:
    """The list of types to load is ours, whatever list the description has."""
    model = make_champion(lending_model)
    folder = artifacts_of(model)
    smuggle_code(folder)

    def trust(described: dict[str, Any]) -> None:
        described["flavors"]["sklearn"]["skops_trusted_types"] = ["builtins.print"]

    describe_anew(folder, trust)

    with pytest.raises(UnreadableModelError, match="Untrusted"):
        load_version(model)


def test_a_version_that_does_not_exist_is_missing(lending_model: TrainedModel) -> None:
    make_champion(lending_model)

    with pytest.raises(UnreadableModelError, match="version 9: its file MLmodel is missing"):
        load_version(ModelVersion("loantap-lending-demo", "9"))


def test_predictions_that_were_not_kept_are_none(lending_model: TrainedModel) -> None:
    model = make_champion(lending_model)
    (artifacts_of(model) / "evidence" / "predictions.parquet").unlink()

    assert load_predictions(model) is None


def test_predictions_that_are_damaged_are_told(lending_model: TrainedModel) -> None:
    model = make_champion(lending_model)
    (artifacts_of(model) / "evidence" / "predictions.parquet").write_bytes(b"PAR1 and no more")

    with pytest.raises(UnreadableModelError, match=r"predictions\.parquet is damaged"):
        load_predictions(model)


def test_nothing_is_read_through_mlflows_own_loader(
    lending_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would load whatever serialisation, pickle among them, that the description names."""
    model = make_champion(lending_model)
    monkeypatch.setattr(mlflow.sklearn, "load_model", pytest.fail)

    assert load_version(model).facts == lending_model.facts
