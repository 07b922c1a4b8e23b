"""Models of the registry: saved to it, and loaded to decide, to be judged, or to judge against."""

import logging
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from kedro.io import AbstractDataset, DatasetError

from loantap.datasets.staged import find_current
from loantap.features.definitions import MODELS
from loantap.model.leakage.last_training import LastTrainings
from loantap.model.promotion.release import Champions, Release, registered_name
from loantap.model.scoring.scorer import Scorer, check_servable
from loantap.model.validation.evaluation import JudgedModel
from loantap.portfolio.dictionary import REAL, SIMULATED
from loantap.portfolio.errors import InputError
from loantap.project.journal import Conclusion
from loantap.registry.connection import asking_registry
from loantap.registry.evidence import load_judged, load_last_training
from loantap.registry.history import tell_restored
from loantap.registry.loading import (
	find_same_readable,
	has_champion,
	load_champions,
	load_deciding,
	note_registered,
	require_champion,
)
from loantap.registry.models import ModelVersion, conclude, find_champion, mark_not_for_lending, register

logger = logging.getLogger(__name__)
_Loaded = TypeVar("_Loaded")


class RegisteredModelDataset(AbstractDataset[Release, NoReturn]):
	"""Saves a model as a new registered version; `ChampionDataset` loads the champion.

	One registered already is not registered again.
	"""

	def __init__(self, *, namespace: str, metadata: dict[str, Any] | None = None) -> None:
		self._namespace = namespace
		self._pending: tuple[ModelVersion, Release] | None = None
		self._is_new = False
		self.metadata = metadata

	@property
	def namespace(self) -> str:
		"""Which model."""
		return self._namespace

	@property
	def saved(self) -> ModelVersion | None:
		"""The version this run saved, or found registered, and did not publish yet."""
		return self._pending[0] if self._pending else None

	@property
	def registered(self) -> ModelVersion | None:
		"""The version this run registered."""
		return self.saved if self._is_new else None

	def load(self) -> NoReturn:
		"""Refused: `@champion` loads what scores, and `@judged` what is evaluated."""
		raise DatasetError(f"load {self._namespace}_model@champion to score, {self._namespace}_model@judged to evaluate")

	def save(self, data: Release) -> None:
		"""Register what is new, without moving the alias."""
		facts = data.trained.facts
		if facts.namespace != self._namespace:
			raise InputError(
				f"model of {self._namespace}",
				f"a model that was trained for {facts.namespace} cannot be saved here",
				f"Set modeling.{self._namespace}.name to {self._namespace}",
			)
		check_servable(data.trained)
		with asking_registry():
			same = find_same_readable(data)
			self._is_new = same is None
			self._pending = (same or register(data), data)
			note_registered(self._namespace, self._pending[0], data.verdicts[-1])

	@property
	def conclusion(self) -> Conclusion | None:
		"""What publishing writes in the registry; None where no version waits for it."""
		if self._pending is None:
			return None
		model, release = self._pending
		verdict, displaced = release.verdicts[-1], find_champion(model.name)
		if not self._is_new and not verdict.promoted:
			return None
		return Conclusion(
			name=model.name,
			version=model.version,
			promoted=verdict.promoted,
			reason=verdict.reason,
			displaced=displaced.version if displaced else None,
		)

	def publish(self) -> None:
		"""Write the verdict on the version; move the champion alias to it if it is promoted.

		A model not for lending gets none. A version registered before keeps its verdict, unless promoted now.
		"""
		if self._pending is None:
			return
		model, release = self._pending
		verdict = release.verdicts[-1]
		with asking_registry():
			mark_not_for_lending(model.name)
			if self._is_new or verdict.promoted:
				displaced = tell_restored(model.name) if verdict.promoted else ""
				conclude(model, verdict)
				if displaced:
					logger.warning("%s takes the place of %s", model, displaced)
		if not self._is_new:
			logger.info("%s: same data, same model: nothing new registered", model)
		elif not verdict.promoted and not release.trained.facts.not_for_lending:
			logger.warning("%s is registered but not made champion: %s", model, verdict.reason)
		self._pending = None

	def discard(self) -> None:
		"""Leave the alias where it is."""
		self._pending = None

	def _exists(self) -> bool:
		return self._pending is not None

	def _describe(self) -> dict[str, Any]:
		return {"namespace": self._namespace}


class _MadeByTraining(AbstractDataset[Any, _Loaded]):
	_refusal = "promotion makes a champion, saving does not"

	def __init__(self, *, namespace: str, metadata: dict[str, Any] | None = None) -> None:
		self._namespace = namespace
		self.metadata = metadata

	def save(self, data: Any) -> NoReturn:  # noqa: ARG002
		"""Refused: training makes it."""
		raise DatasetError(self._refusal)

	def _exists(self) -> bool:
		# No champion is an answer too.
		return True

	def _describe(self) -> dict[str, Any]:
		return {"namespace": self._namespace}


class ChampionDataset(_MadeByTraining[Scorer]):
	"""Loads the champion of a namespace as a scorer; cannot be saved to.

	In a run that trains, the run's own version if promoted. Where the registry is down, the last good champion goes on.
	"""

	def load(self) -> Scorer:
		"""The champion once this run has ended.

		Raises:
			InputError: there is none. RegistryDownError: no answer, and none was kept.
		"""
		return load_deciding(self._namespace)

	def require_champion(self) -> None:
		"""Raise InputError where there is no champion."""
		require_champion(self._namespace)

	def _exists(self) -> bool:
		return has_champion(self._namespace)


class ChampionsDataset(_MadeByTraining[Champions]):
	"""Loads, for each model, a function that loads its champions; cannot be saved to."""

	def __init__(self, *, metadata: dict[str, Any] | None = None) -> None:
		super().__init__(namespace=", ".join(MODELS), metadata=metadata)

	def load(self) -> Champions:
		"""A function for each model; see `load_champions` for what it gives and raises."""
		return {model: partial(load_champions, model) for model in MODELS}


class LastTrainingDataset(_MadeByTraining[LastTrainings]):
	"""Loads, for each origin of loans, a function that loads what the leakage gate found; cannot be saved to."""

	_refusal = "promotion makes a champion, whose evidence this is; saving does not"

	def load(self) -> LastTrainings:
		"""A function for each origin; see `load_last_training` for what it gives and raises."""
		names = {origin: registered_name(self._namespace, origin) for origin in (REAL, SIMULATED)}
		return {origin: partial(load_last_training, name) for origin, name in names.items()}


class JudgedModelDataset(_MadeByTraining[JudgedModel]):
	"""Loads the version that is evaluated, promoted or not, with its predictions and its training."""

	def __init__(
		self, *, namespace: str, predictions: str, training_report: str, metadata: dict[str, Any] | None = None
	) -> None:
		super().__init__(namespace=namespace, metadata=metadata)
		self._refusal = f"save {namespace}_model@release, which registers the model"
		self._predictions = Path(predictions)
		self._report = Path(training_report)

	def load(self) -> JudgedModel:
		"""The version, with what it says of itself; InputError where none made the predictions."""
		files = map(find_current, (self._predictions, self._report))
		return load_judged(self._namespace, *files)

	def _exists(self) -> bool:
		return all(find_current(path).exists() for path in (self._predictions, self._report))

	def _describe(self) -> dict[str, Any]:
		return {"namespace": self._namespace, "predictions": str(self._predictions), "training_report": str(self._report)}
