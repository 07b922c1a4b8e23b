"""The registered version that an evaluation speaks of."""

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from loantap.datasets.staged import find_current
from loantap.model.validation.evaluation import JudgedModel
from loantap.registry.evidence import load_judged


class JudgedModelDataset(AbstractDataset[Any, JudgedModel]):
  """Loads the version that is evaluated, promoted or not, with its predictions and its training.

  `RegisteredModelDataset` registers it; it cannot be saved to here.
  """

  def __init__(
    self, *, namespace: str, predictions: str, training_report: str, metadata: dict[str, Any] | None = None
  ) -> None:
    self._namespace = namespace
    self._predictions = Path(predictions)
    self._report = Path(training_report)
    self.metadata = metadata

  def load(self) -> JudgedModel:
    """The version, with what it says of itself.

    Raises:
        InputError: no registered version made the predictions.
        RegistryDownError: the registry does not answer.
    """
    files = map(find_current, (self._predictions, self._report))
    return load_judged(self._namespace, *files)

  def save(self, data: Any) -> NoReturn:  # noqa: ARG002
    """Refused: training makes it, and registers it."""
    raise DatasetError(f"save {self._namespace}_model@release, which registers the model")

  def _exists(self) -> bool:
    return all(find_current(path).exists() for path in (self._predictions, self._report))

  def _describe(self) -> dict[str, Any]:
    return {"namespace": self._namespace, "predictions": str(self._predictions), "training_report": str(self._report)}
