"""Models saved to the registry."""

import logging
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from loantap.model.promotion.release import Release
from loantap.model.scoring.scorer import check_servable
from loantap.portfolio.errors import InputError
from loantap.project.journal import Conclusion
from loantap.registry.connection import asking_registry
from loantap.registry.history import tell_restored
from loantap.registry.loading import find_same_readable
from loantap.registry.models import ModelVersion, conclude, find_champion, mark_not_for_lending, register
from loantap.registry.registered_this_run import note_registered

logger = logging.getLogger(__name__)


class RegisteredModelDataset(AbstractDataset[Release, NoReturn]):
  """Saves a model as a new registered version; `ChampionDataset` loads the champion.

  A model that is registered already is not registered again. Publishing, when the run has
  succeeded, writes the verdict on the version, and moves the champion alias if it is promoted.
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
    """Register what is new, without moving the alias.

    Raises:
        InputError: the model is of another namespace.
        RegistryDownError: MLflow does not answer any more.
        UnexplainableError: it could not be served.
    """
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

    The verdict on a model that must not be lent on is left to the reports. A version that was
    registered before keeps its verdict, unless it is promoted now.
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
