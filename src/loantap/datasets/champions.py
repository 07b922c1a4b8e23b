"""The champions, for a new model to be judged against."""

from functools import partial
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from loantap.features.definitions import MODELS
from loantap.model.promotion.release import Champions
from loantap.registry.loading import load_champions


class ChampionsDataset(AbstractDataset[Any, Champions]):
  """Loads, for each model, a function that loads its champions; cannot be saved to."""

  def __init__(self, *, metadata: dict[str, Any] | None = None) -> None:
    self.metadata = metadata

  def load(self) -> Champions:
    """A function for each model; see `load_champions` for what it gives and raises."""
    return {model: partial(load_champions, model) for model in MODELS}

  def save(self, data: Any) -> NoReturn:  # noqa: ARG002
    """Refused: promotion makes a champion."""
    raise DatasetError("promotion makes a champion, saving does not")

  def _exists(self) -> bool:
    # No champion is an answer too.
    return True

  def _describe(self) -> dict[str, Any]:
    return {"models": ", ".join(MODELS)}
