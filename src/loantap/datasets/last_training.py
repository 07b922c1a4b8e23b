"""What the leakage gate found when the champion was trained."""

from functools import partial
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from loantap.model.leakage.last_training import LastTrainings
from loantap.model.promotion.release import registered_name
from loantap.portfolio.dictionary import REAL, SIMULATED
from loantap.registry.evidence import load_last_training


class LastTrainingDataset(AbstractDataset[Any, LastTrainings]):
  """Loads, for each origin of loans, a function that loads what was found; cannot be saved to."""

  def __init__(self, *, namespace: str, metadata: dict[str, Any] | None = None) -> None:
    self._namespace = namespace
    self.metadata = metadata

  def load(self) -> LastTrainings:
    """A function for each origin; see `load_last_training` for what it gives and raises."""
    names = {origin: registered_name(self._namespace, origin) for origin in (REAL, SIMULATED)}
    return {origin: partial(load_last_training, name) for origin, name in names.items()}

  def save(self, data: Any) -> NoReturn:  # noqa: ARG002
    """Refused: it is evidence of the champion."""
    raise DatasetError("promotion makes a champion, whose evidence this is; saving does not")

  def _exists(self) -> bool:
    # No champion is an answer too.
    return True

  def _describe(self) -> dict[str, Any]:
    return {"namespace": self._namespace}
