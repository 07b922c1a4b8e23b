"""The place our own tables go to, for a check that they can."""

import secrets
from typing import Any

import pyarrow as pa

from loantap.databases.backends import make_writable
from loantap.databases.backends.interface import quote


class TargetSystem:
  """A system that tables of ours are written to, by credentials as `make_writable` takes them."""

  def __init__(self, system: str, credentials: dict[str, Any]) -> None:
    self.where = f"{system}, our own tables"
    self._credentials = credentials

  def try_writing(self) -> None:
    """Make a table of one row and remove it, in one transaction; see `WritableBackend`."""
    # Two may check at the same time.
    name = f"check__{secrets.token_hex(4)}"
    with make_writable(self.where, self._credentials).transaction() as transaction:
      transaction.execute(f"CREATE TABLE {quote(name)} (number BIGINT)")
      transaction.insert(name, pa.table({"number": pa.array([1], pa.int64())}))
      transaction.execute(f"DROP TABLE {quote(name)}")
