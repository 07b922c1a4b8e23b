"""The registered version that an evaluation speaks of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from loantap.model.promotion.release import Release
from loantap.model.scoring.judged import JudgedModel
from loantap.registry.judged import load_judged


class JudgedModelDataset(AbstractDataset[Release, JudgedModel]):
    """Loads the version whose predictions are evaluated, promoted or not.

    In a run that trains, it comes after the `RegisteredModelDataset` that registers the version:
    saving is that order, and stores nothing.

    Args:
        namespace: which model.
        path: file of the predictions of the last training.
        metadata: for Kedro-Viz and the documentation.
    """

    def __init__(
        self, *, namespace: str, path: str, metadata: dict[str, Any] | None = None
    ) -> None:
        self._namespace = namespace
        self._predictions = Path(path)
        self.metadata = metadata

    def load(self) -> JudgedModel:
        """The version, with what it says of itself.

        Raises:
            InputError: no registered version made the predictions.
        """
        return load_judged(self._namespace, self._predictions)

    def save(self, data: Release) -> None:
        """Nothing: the release is registered by then."""

    def _exists(self) -> bool:
        return self._predictions.exists()

    def _describe(self) -> dict[str, Any]:
        return {"namespace": self._namespace, "path": str(self._predictions)}
