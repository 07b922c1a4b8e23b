"""The model that decides on applications."""

from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from loantap.model.scoring.scorer import Scorer
from loantap.registry.loading import has_champion, load_deciding, require_champion


class ChampionDataset(AbstractDataset[Any, Scorer]):
  """Loads the champion of a namespace as a scorer; cannot be saved to.

  In a run that trains, it is the run's own version if that is promoted. Where the registry is
  down, the last good champion goes on.
  """

  def __init__(self, *, namespace: str, metadata: dict[str, Any] | None = None) -> None:
    self._namespace = namespace
    self.metadata = metadata

  def load(self) -> Scorer:
    """The champion once this run has ended.

    Raises:
        InputError: there is none, or this run's version was not promoted and there is no other.
        RegistryDownError: the registry does not answer, and no champion was kept.
    """
    return load_deciding(self._namespace)

  def save(self, data: Any) -> NoReturn:  # noqa: ARG002
    """Refused: promotion makes a champion."""
    raise DatasetError("promotion makes a champion, saving does not")

  def require_champion(self) -> None:
    """Raise InputError where there is no champion."""
    require_champion(self._namespace)

  def _exists(self) -> bool:
    return has_champion(self._namespace)

  def _describe(self) -> dict[str, Any]:
    return {"namespace": self._namespace}
