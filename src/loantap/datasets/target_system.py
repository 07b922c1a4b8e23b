"""The place our own tables go to, as a dataset."""

from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from loantap.databases.backends import make_writable
from loantap.databases.target_system import TargetSystem


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
