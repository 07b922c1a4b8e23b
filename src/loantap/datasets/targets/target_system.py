"""The place our own tables go to, for a check that they can."""

from __future__ import annotations

import secrets
from typing import Any, NoReturn

import pyarrow as pa
from kedro.io import AbstractDataset, DatasetError

from loantap.datasets.backends import make_writable
from loantap.datasets.backends.interface import quote


class TargetSystem:
    """A system that tables of ours are written to.

    Args:
        system: its name, for messages.
        credentials: what `loantap.datasets.backends.make_writable` takes.
    """

    def __init__(self, system: str, credentials: dict[str, Any]) -> None:
        self.where = f"{system}, our own tables"
        self._credentials = credentials

    def try_writing(self) -> None:
        """Make a table of one row and remove it again, in one transaction.

        Raises:
            SourceDownError, InputError: see `WritableBackend`.
        """
        # A name of its own: two may check at the same time.
        name = f"check__{secrets.token_hex(4)}"
        with make_writable(self.where, self._credentials).transaction() as transaction:
            transaction.execute(f"CREATE TABLE {quote(name)} (number BIGINT)")
            transaction.insert(name, pa.table({"number": pa.array([1], pa.int64())}))
            transaction.execute(f"DROP TABLE {quote(name)}")


class TargetSystemDataset(AbstractDataset[NoReturn, TargetSystem]):
    """Gives the place our own tables go to; nothing is connected to before it is tried.

    Args:
        system: name of the system, for messages.
        credentials: what `loantap.datasets.backends.make_writable` takes.
        metadata: for Kedro-Viz and the documentation.
    """

    def __init__(
        self, *, system: str, credentials: dict[str, Any], metadata: dict[str, Any] | None = None
    ) -> None:
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
        raise DatasetError("a system is not saved to; TargetTableDataset writes a table")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        # Credentials are left out: this text goes to logs.
        return {"system": self._system}
