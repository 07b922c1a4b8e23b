"""A look at the source systems, as a dataset."""

from typing import Any

import pandas as pd
from kedro.io import AbstractDataset, DatasetError

from loantap.databases.inspection import Inspection


class InspectionDataset(AbstractDataset[Inspection, pd.DataFrame]):
  """Takes a look at the systems, and gives what was found."""

  def __init__(self, *, metadata: dict[str, Any] | None = None) -> None:
    self._findings: pd.DataFrame | None = None
    self.metadata = metadata

  def load(self) -> pd.DataFrame:
    """One row per check; see `Inspection.look`."""
    if self._findings is None:
      raise DatasetError("the systems have not been looked at: run check_sources")
    return self._findings

  def save(self, data: Inspection) -> None:
    """Look, at one system after the other."""
    self._findings = data.look()

  def _exists(self) -> bool:
    return self._findings is not None

  def _describe(self) -> dict[str, Any]:
    return {}
