"""Which registered model is loaded, to score with or to be challenged, and what the active run registered.

Functions raise `RegistryDownError` where the registry does not answer; those that go on with a
champion that was kept, only where none was.
"""

import logging
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pandas as pd

from loantap.model.promotion.release import Champion, Release, registered_name
from loantap.model.promotion.rule import Verdict
from loantap.model.scoring.scorer import Scorer
from loantap.model.scoring.trained import TrainedModel
from loantap.portfolio.dictionary import REAL, SIMULATED
from loantap.portfolio.errors import InputError
from loantap.registry.connection import RegistryDownError, asking_registry, registry_address
from loantap.registry.fallback import go_on, is_kept, keep
from loantap.registry.models import ModelVersion, find_champion, find_same, is_registered, read_digest, registered_names
from loantap.registry.reading import (
	OtherFeaturesError,
	UnreadableModelError,
	fetch_files,
	load_predictions,
	load_version,
	read_model,
)

# Tags of a run per model: version, whether it becomes champion, and why.
_VERSION, _PROMOTED, _REASON = "registered.{}", "promoted.{}", "promotion_reason.{}"
_TRUE, _FALSE = "true", "false"
# Of a model that kept none.
_NO_PREDICTIONS = pd.DataFrame({"loan_id": [], "sample": [], "probability_of_default": []}).astype(
	{"loan_id": "str", "sample": "str"}
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Registered:
	"""A version that a run registered, or found registered; whether and why it becomes champion."""

	model: ModelVersion
	promoted: bool
	reason: str


def note_registered(namespace: str, model: ModelVersion, verdict: Verdict) -> None:
	"""Tag the active run with the version it made of a namespace, and the verdict."""
	tags = {
		_VERSION: f"{model.name}/{model.version}",
		_PROMOTED: _TRUE if verdict.promoted else _FALSE,
		_REASON: verdict.reason,
	}
	mlflow.set_tags({tag.format(namespace): value for tag, value in tags.items()})


def find_registered(namespace: str) -> Registered | None:
	"""The active run's version of a namespace, or None."""
	run = mlflow.active_run()
	if run is None:
		return None
	with asking_registry():
		tags = mlflow.MlflowClient().get_run(run.info.run_id).data.tags
	name, _, version = tags.get(_VERSION.format(namespace), "").rpartition("/")
	if not name:
		return None
	promoted = tags[_PROMOTED.format(namespace)] == _TRUE
	return Registered(ModelVersion(name, version), promoted, tags[_REASON.format(namespace)])


def forget_registered() -> None:
	"""Undo `note_registered`, where MLflow's run goes on after ours."""
	run = mlflow.active_run()
	if run is None:
		return
	client = mlflow.MlflowClient()
	ours = tuple(tag.format("") for tag in (_VERSION, _PROMOTED, _REASON))
	with asking_registry():
		for tag in client.get_run(run.info.run_id).data.tags:
			if tag.startswith(ours):
				client.delete_tag(run.info.run_id, tag)


def load_deciding(namespace: str) -> Scorer:
	"""The champion once the active run has ended: never a version that is not promoted.

	Raises:
		InputError: there is none, and the run's version is not promoted.
	"""
	own = find_registered(namespace)
	if own is not None and own.promoted and not _is_outranked(own.model, namespace):
		return Scorer(load_version(own.model), own.model.name, own.model.version)
	if own is not None and not own.promoted and not has_champion(namespace):
		raise InputError(
			f"model {own.model}",
			f"it was not promoted, so it makes no decisions ({own.reason})",
			"Run `--pipelines training` for its reports; score when there is a champion",
		)
	trained, model = load_champion(namespace)
	return Scorer(trained, model.name, model.version)


def load_champion(namespace: str) -> tuple[TrainedModel, ModelVersion]:
	"""Load the champion: one from real loans before one from simulated ones.

	Where it cannot be had (registry down, model lost or of another release), the last good champion goes on, with a
	warning.

	Raises:
		UnreadableModelError: none was kept. InputError: no champion is registered.
	"""
	names = registered_names(namespace)
	try:
		champion = find_best_champion(namespace)
	except RegistryDownError as error:
		return go_on(names, error)
	if champion is None:
		# Losing the alias was a decision, and stands; an unknown model is a loss.
		return go_on([n for n in names if not is_registered(n)], _tell_none(names))
	try:
		trained = _load_and_keep(champion)
	except (RegistryDownError, UnreadableModelError) as error:
		# A demo model never stands in for one of real loans.
		return go_on([champion.name], error)
	facts = trained.facts
	logger.info("Scoring with %s (target %s), trained on %s loans", champion, facts.target, facts.origin)
	return trained, champion


def find_best_champion(namespace: str) -> ModelVersion | None:
	"""The champion of a namespace, one from real loans preferred, or None."""
	found = (find_champion(name) for name in registered_names(namespace))
	return next((champion for champion in found if champion is not None), None)


def require_champion(namespace: str) -> None:
	"""Raise `InputError` unless there is something to score with."""
	if not has_champion(namespace):
		raise _tell_none(registered_names(namespace))


def has_champion(namespace: str) -> bool:
	"""Whether there is something to score with, if only the last good model."""
	try:
		if find_best_champion(namespace) is not None:
			return True
	except RegistryDownError:
		if any(map(is_kept, registered_names(namespace))):
			return True
		raise
	return any(is_kept(n) and not is_registered(n) for n in registered_names(namespace))


def load_champions(namespace: str) -> dict[str, Champion]:
	"""The champions that a new model has to beat, by origin of their loans; {} for none.

	An unreadable one is judged by its registered predictions; without them, or with features of another release, it
	counts as none, or nothing could replace it.
	"""
	champions = {}
	for origin in (REAL, SIMULATED):
		model = find_champion(registered_name(namespace, origin))
		if model is not None and (champion := _load_as_champion(model)) is not None:
			champions[origin] = champion
	return champions


def find_same_readable(release: Release) -> ModelVersion | None:
	"""The readable version with the very model of a release, or None."""
	same = find_same(release)
	if same is None:
		return None
	try:
		load_version(same)
	except UnreadableModelError as error:
		logger.warning("%s. The same model is registered again", error)
		return None
	return same


def _load_as_champion(model: ModelVersion) -> Champion | None:
	trained: TrainedModel | None = None
	try:
		trained = load_version(model)
	except OtherFeaturesError as error:
		logger.warning("%s. A new model is judged as if there were no champion", error)
		return None
	except UnreadableModelError as error:
		logger.warning("%s. A new model is compared with the champion's stored predictions, if any", error)
	try:
		predictions = load_predictions(model)
	except UnreadableModelError as error:
		logger.warning("%s", error)
		predictions = None
	if trained is None and predictions is None:
		logger.warning("A new model is judged as if there were no champion, since %s cannot be read", model)
		return None
	digest = read_digest(model) if trained is not None else ""
	kept = _NO_PREDICTIONS if predictions is None else predictions
	return Champion(str(model), trained, kept, digest)


def _is_outranked(newest: ModelVersion, namespace: str) -> bool:
	real = registered_name(namespace, REAL)
	return newest.name != real and find_champion(real) is not None


def _load_and_keep(champion: ModelVersion) -> TrainedModel:
	with tempfile.TemporaryDirectory() as folder:
		files = fetch_files(champion, Path(folder))
		trained = read_model(files, champion)
		keep(champion, files)
	return trained


def _tell_none(names: Iterable[str]) -> InputError:
	return InputError(
		f"model registry ({registry_address()})", f"no champion named {' or '.join(names)}", "Train one with `kedro run`"
	)
