"""A look at the source systems, and the place our own tables go to, as datasets."""

from typing import Any, NoReturn

import pandas as pd
from kedro.io import AbstractDataset, DatasetError

from loantap.databases.backends import make_writable
from loantap.databases.inspection import Inspection, TargetSystem


class TargetSystemDataset(AbstractDataset[NoReturn, TargetSystem]):
  """Gives the place our own tables go to; nothing is connected to before it is tried."""

  def __init__(self, *, system: str, credentials: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
    self._system = system
    self._credentials = credentials
    self.metadata = metadata

  def require_credentials(self) -> None:
    """See `Credentialed`."""
    make_writable(self._system, self._credentials)

  def load(self) -> TargetSystem:
    """The system."""
    return TargetSystem(self._system, self._credentials)

  def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002
    """Refused: tables are written, not systems."""
    raise DatasetError("a system cannot be saved to; TargetTableDataset writes a table")

  def _exists(self) -> bool:
    return True

  def _describe(self) -> dict[str, Any]:
    # Credentials are left out: this text goes to logs.
    return {"system": self._system}


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
