"""Files of a registered model, read with nothing taken on trust.

Functions raise `RegistryDownError` where the registry does not answer.
"""

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import mlflow
import pandas as pd
import sklearn
import skops.io
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from pydantic import ValidationError
from sklearn.pipeline import Pipeline
from yaml import YAMLError

from loantap.features.definitions import FEATURE_SETS
from loantap.model.scoring.decompose import UnexplainableError
from loantap.model.scoring.scorer import check_servable
from loantap.model.scoring.trained import ModelFacts, TrainedModel
from loantap.portfolio.dictionary import SUB_GRADES
from loantap.portfolio.errors import InputError
from loantap.portfolio.products import VARIABLE
from loantap.registry.connection import RegistryDownError
from loantap.registry.models import EVIDENCE, FACTS, PREDICTIONS, TRUSTED_TYPES, ModelVersion

DESCRIPTION, PIPELINE, EXAMPLE = "MLmodel", "model.skops", "input_example.json"
FILES: Final = (DESCRIPTION, PIPELINE, EXAMPLE)
_REMEDY = "Train again with `kedro run`, or go back to an older version with `loantap-models restore`"
# What skops and MLflow raise on others' bytes, caught around one call without code of ours.
_OF_SKOPS: Final = (AttributeError, BadZipFile, EOFError, KeyError, NotImplementedError, OSError, TypeError, ValueError)
_OF_MLFLOW: Final = (AttributeError, KeyError, MlflowException, TypeError, ValueError, YAMLError)

logger = logging.getLogger(__name__)


class UnreadableModelError(InputError):
	"""A model is registered, and cannot be used."""

	def __init__(self, model: ModelVersion, problem: str) -> None:
		super().__init__(f"model {model}", problem, _REMEDY)


class OtherFeaturesError(UnreadableModelError):
	"""A model takes features that this release no longer lends on, so that it can never decide."""


def load_version(model: ModelVersion) -> TrainedModel:
	"""Load one registered version with its facts and its example."""
	with tempfile.TemporaryDirectory() as folder:
		return read_model(fetch_files(model, Path(folder)), model)


def fetch_files(model: ModelVersion, folder: Path) -> Path:
	"""Copy a version's files into a folder; `UnreadableModelError` where one is missing."""
	for name in FILES:
		fetch_file(model, name, folder)
	return folder


def fetch_file(model: ModelVersion, name: str, folder: Path) -> Path:
	"""Copy one file or folder of a version; see `fetch_files`."""
	try:
		found = mlflow.artifacts.download_artifacts(f"{model.uri}/{name}", dst_path=str(folder))
	except MlflowException as error:
		if error.error_code == "RESOURCE_DOES_NOT_EXIST":
			raise UnreadableModelError(model, f"its file {name} is missing") from error
		raise RegistryDownError(str(error)) from error
	except OSError as error:
		raise UnreadableModelError(model, f"its file {name} cannot be fetched ({error})") from error
	return Path(found)


def load_predictions(model: ModelVersion) -> pd.DataFrame | None:
	"""Predictions a version was registered with, or None; `UnreadableModelError` if damaged."""
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

	Raises:
		UnreadableModelError: a file is damaged or of another release, or reasons do not add up to the PD.
	"""
	described = _read_description(folder, model)
	facts = _read_facts(described, model)
	_check_scikit_learn(described, model)
	pipeline = _read_pipeline(folder, model)
	example = _read_example(described, folder, model)
	trained = TrainedModel(pipeline, facts, example)
	_prove(trained, model)
	return trained


def _read_description(folder: Path, model: ModelVersion) -> Model:
	try:
		return Model.load(str(folder / DESCRIPTION))
	except _OF_MLFLOW as error:
		raise _tell_damaged(model, DESCRIPTION, error) from error


def _read_pipeline(folder: Path, model: ModelVersion) -> Pipeline:
	try:
		# Our list: whoever can write the file can write its list.
		found = skops.io.load(folder / PIPELINE, trusted=TRUSTED_TYPES)
	except _OF_SKOPS as error:
		raise _tell_damaged(model, PIPELINE, error) from error
	if not isinstance(found, Pipeline):
		kind = type(found).__name__
		raise UnreadableModelError(model, f"it cannot be served (its {PIPELINE} holds a {kind})")
	return found


def _read_example(described: Model, folder: Path, model: ModelVersion) -> pd.DataFrame:
	try:
		return pd.DataFrame(described.load_input_example(str(folder)))
	except _OF_MLFLOW as error:
		raise _tell_damaged(model, EXAMPLE, error) from error


def _read_facts(described: Model, model: ModelVersion) -> ModelFacts:
	found = _look_up(described.metadata, FACTS)
	if not isinstance(found, Mapping):
		raise UnreadableModelError(model, "it was not registered by this project")
	try:
		facts = ModelFacts.model_validate(found)
	except ValidationError as error:
		faults = {str(fault["loc"][0]): fault["msg"] for fault in error.errors()}
		told = ", ".join(f"{name}: {what.lower()}" for name, what in sorted(faults.items()))
		raise UnreadableModelError(model, f"it was trained by an earlier release ({told})") from error
	if facts.sub_grades != SUB_GRADES:
		raise UnreadableModelError(
			model,
			f"it was trained for other products: sub-grades {', '.join(facts.sub_grades)}. Name "
			f"those in {VARIABLE}, or train anew",
		)
	return facts


def _look_up(found: object, *path: str) -> object:
	for name in path:
		found = found.get(name) if isinstance(found, Mapping) else None
	return found


def _check_scikit_learn(described: Model, model: ModelVersion) -> None:
	"""scikit-learn promises to read no other release's file; patch releases do."""
	saved = str(_look_up(described.flavors, "sklearn", "sklearn_version"))
	here = sklearn.__version__
	if saved.split(".")[:2] != here.split(".")[:2]:
		raise UnreadableModelError(model, f"it was saved by scikit-learn {saved}, and this is {here}")
	if saved != here:
		logger.warning("Model %s was saved by scikit-learn %s, and this is %s", model, saved, here)


def _prove(trained: TrainedModel, model: ModelVersion) -> None:
	feature_set = FEATURE_SETS.get(trained.facts.feature_set)
	taken = set(getattr(trained.pipeline, "feature_names_in_", ()))
	if feature_set is None or not set(feature_set.features) == set(trained.example) == taken:
		raise OtherFeaturesError(model, "it was trained by an earlier release, which had other features")
	try:
		check_servable(trained)
	except UnexplainableError as error:
		raise UnreadableModelError(model, f"it cannot be served ({error})") from error


def _tell_damaged(model: ModelVersion, name: str, error: Exception) -> UnreadableModelError:
	said = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
	return UnreadableModelError(model, f"its file {name} is damaged ({said})")
