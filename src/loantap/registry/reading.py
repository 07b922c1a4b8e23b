"""Files of a registered model, read with nothing taken on trust."""

from __future__ import annotations

import logging
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import mlflow
import pandas as pd
import sklearn
import skops.io
import yaml
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from pydantic import ValidationError

from loantap.features.definitions import FEATURE_SETS
from loantap.model.scoring.scorer import check_servable
from loantap.model.scoring.trained import ModelFacts, TrainedModel
from loantap.portfolio.errors import InputError
from loantap.registry.connection import RegistryDownError
from loantap.registry.models import EVIDENCE, FACTS, PREDICTIONS, TRUSTED_TYPES, ModelVersion

DESCRIPTION, PIPELINE, EXAMPLE = "MLmodel", "model.skops", "input_example.json"
FILES: Final = (DESCRIPTION, PIPELINE, EXAMPLE)
_REMEDY = (
    "Train again with `kedro run`, or go back to an older version with `loantap-models restore`"
)
# What readers of archives, JSON, YAML and foreign objects raise on bytes that are not theirs.
_DAMAGED: Final = (
    ArithmeticError,
    AttributeError,
    BadZipFile,
    EOFError,
    ImportError,
    LookupError,
    MlflowException,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    yaml.YAMLError,
    zlib.error,
)

logger = logging.getLogger(__name__)


class UnreadableModelError(InputError):
    """A model is registered, and cannot be used."""

    def __init__(self, model: ModelVersion, problem: str) -> None:
        super().__init__(f"model {model}", problem, _REMEDY)


def load_version(model: ModelVersion) -> TrainedModel:
    """Load one registered version with its facts and its example.

    Raises:
        UnreadableModelError: its files are missing or damaged, or another release made them.
        RegistryDownError: the registry does not answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        return read_model(fetch_files(model, Path(folder)), model)


def fetch_files(model: ModelVersion, folder: Path) -> Path:
    """Copy the files of a version into a folder.

    Raises:
        UnreadableModelError: one is missing.
        RegistryDownError: the registry does not answer.
    """
    for name in FILES:
        fetch_file(model, name, folder)
    return folder


def fetch_file(model: ModelVersion, name: str, folder: Path) -> Path:
    """Copy one file, or folder, of a version into a folder."""
    try:
        found = mlflow.artifacts.download_artifacts(f"{model.uri}/{name}", dst_path=str(folder))
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            raise UnreadableModelError(model, f"its file {name} is missing") from error
        raise RegistryDownError(str(error)) from error
    except OSError as error:
        raise UnreadableModelError(model, f"its file {name} cannot be had ({error})") from error
    return Path(found)


def load_predictions(model: ModelVersion) -> pd.DataFrame | None:
    """The predictions a version was registered with; None where none were kept.

    Raises:
        UnreadableModelError: they are damaged.
        RegistryDownError: the registry does not answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = fetch_file(model, f"{EVIDENCE}/{PREDICTIONS}", Path(folder))
        except UnreadableModelError:
            return None
        try:
            return pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise UnreadableModelError(model, f"its {PREDICTIONS} is damaged ({error})") from error


def read_model(folder: Path, model: ModelVersion) -> TrainedModel:
    """Read a model from its files and prove that it can be served.

    Args:
        folder: holds `FILES`.
        model: whose files they are, for the messages.

    Raises:
        UnreadableModelError: a file is damaged, scikit-learn is another release, the facts are
            those of another release of ours, or its reasons do not add up to its PD.
    """
    described = _read_description(folder, model)
    facts = _read_facts(described, model)
    _check_scikit_learn(described, model)
    try:
        # Our list, not the one in the file: whoever can write the file can write the list.
        pipeline = skops.io.load(folder / PIPELINE, trusted=TRUSTED_TYPES)
        example = pd.DataFrame(described.load_input_example(str(folder)))
    except _DAMAGED as error:
        raise UnreadableModelError(model, f"its file is damaged ({_say(error)})") from error
    trained = TrainedModel(pipeline, facts, example)
    _prove(trained, model)
    return trained


def _read_description(folder: Path, model: ModelVersion) -> Model:
    try:
        return Model.load(str(folder / DESCRIPTION))
    except _DAMAGED as error:
        problem = f"its file {DESCRIPTION} is damaged ({_say(error)})"
        raise UnreadableModelError(model, problem) from error


def _read_facts(described: Model, model: ModelVersion) -> ModelFacts:
    found: Mapping[str, Any] | None = (described.metadata or {}).get(FACTS)
    if not isinstance(found, Mapping):
        raise UnreadableModelError(model, "it was not registered by this project")
    try:
        return ModelFacts.model_validate(found)
    except ValidationError as error:
        faults = {str(fault["loc"][0]): fault["msg"] for fault in error.errors()}
        told = ", ".join(f"{name}: {what.lower()}" for name, what in sorted(faults.items()))
        raise UnreadableModelError(
            model, f"it was trained by an earlier release ({told})"
        ) from error


def _check_scikit_learn(described: Model, model: ModelVersion) -> None:
    """scikit-learn promises to read no file of another release; patch releases do read them."""
    saved = str(described.flavors.get("sklearn", {}).get("sklearn_version"))
    here = sklearn.__version__
    if saved.split(".")[:2] != here.split(".")[:2]:
        raise UnreadableModelError(
            model, f"it was saved by scikit-learn {saved}, and this is {here}"
        )
    if saved != here:
        logger.warning("Model %s was saved by scikit-learn %s, and this is %s", model, saved, here)


def _prove(trained: TrainedModel, model: ModelVersion) -> None:
    feature_set = FEATURE_SETS.get(trained.facts.feature_set)
    if feature_set is None or set(feature_set.features) != set(trained.example.columns):
        raise UnreadableModelError(
            model, "it was trained by an earlier release, which had other features"
        )
    try:
        check_servable(trained)
    except _DAMAGED as error:
        raise UnreadableModelError(model, f"it cannot be served ({_say(error)})") from error


def _say(error: BaseException) -> str:
    first_line = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {first_line}"
