"""Models saved to and loaded from the registry."""

from __future__ import annotations

from typing import Any

from kedro.io import AbstractDataset

from loantap.model.scorer import Scorer
from loantap.model.trained import TrainedModel
from loantap.registry.models import (
    ModelVersion,
    find_champion,
    load_champion,
    load_version,
    log_model,
    promote,
)


class RegisteredModelDataset(AbstractDataset[TrainedModel, Scorer]):
    """Saves a model as a new registered version; loads it, or else the champion, as a scorer.

    The champion alias moves when the dataset is published, which is when the run has succeeded.

    Args:
        namespace: which model to load.
        metadata: for Kedro-Viz and the documentation.
    """

    def __init__(self, *, namespace: str, metadata: dict[str, Any] | None = None) -> None:
        self._namespace = namespace
        self._pending: ModelVersion | None = None
        self.metadata = metadata

    def load(self) -> Scorer:
        """The version this run saved; else the champion, one from real loans preferred."""
        if self._pending is not None:
            return Scorer(load_version(self._pending), self._pending.name, self._pending.version)
        trained, model = load_champion(self._namespace)
        return Scorer(trained, model.name, model.version)

    def save(self, data: TrainedModel) -> None:
        """Log and register, without moving the alias."""
        self._pending = log_model(data)

    def publish(self) -> None:
        """Move the champion alias to the version this run saved."""
        if self._pending is not None:
            promote(self._pending)
            self._pending = None

    def discard(self) -> None:
        """Leave the alias where it is."""
        self._pending = None

    def _exists(self) -> bool:
        return self._pending is not None or find_champion(self._namespace) is not None

    def _describe(self) -> dict[str, Any]:
        return {"namespace": self._namespace}
