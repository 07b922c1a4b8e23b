"""Models saved to and loaded from the registry."""

from __future__ import annotations

import logging
from typing import Any

from kedro.io import AbstractDataset

from loantap.model.scorer import Scorer, check_servable
from loantap.model.trained import TrainedModel
from loantap.portfolio.errors import InputError
from loantap.registry.models import ModelVersion, find_champion, load_best, log_model, promote

# Ten for each of the dozen coefficients that matter; a model of fewer decides on nobody.
LEAST_CHARGE_OFFS = 100

logger = logging.getLogger(__name__)


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
        self._charge_offs = 0
        self.metadata = metadata

    def load(self) -> Scorer:
        """The version this run saved, unless it is a demo's and there is a real champion."""
        trained, model = load_best(self._namespace, self._pending)
        return Scorer(trained, model.name, model.version)

    def save(self, data: TrainedModel) -> None:
        """Log and register, without moving the alias.

        Raises:
            InputError: the model is of another namespace, or could not be served.
        """
        if data.facts.namespace != self._namespace:
            raise InputError(
                f"model of {self._namespace}",
                f"a model of {data.facts.namespace} was given",
                "Leave modeling.<namespace>.name as it is shipped",
            )
        check_servable(data)
        self._pending = log_model(data)
        self._charge_offs = data.facts.training_charge_offs

    def publish(self) -> None:
        """Move the champion alias to the version this run saved, if it saw enough charge-offs."""
        if self._pending is None:
            return
        if self._charge_offs >= LEAST_CHARGE_OFFS:
            promote(self._pending)
        else:
            logger.warning(
                "%s version %s is registered but not made champion: %s charge-offs in training "
                "are fewer than %s",
                self._pending.name,
                self._pending.version,
                self._charge_offs,
                LEAST_CHARGE_OFFS,
            )
        self._pending = None

    def discard(self) -> None:
        """Leave the alias where it is."""
        self._pending = None

    def _exists(self) -> bool:
        return self._pending is not None or find_champion(self._namespace) is not None

    def _describe(self) -> dict[str, Any]:
        return {"namespace": self._namespace}
