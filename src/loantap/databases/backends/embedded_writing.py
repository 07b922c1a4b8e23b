"""Tables of ours in the embedded warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from loantap.databases.backends.embedded import DuckDB
from loantap.databases.backends.interface import Query, quote
from loantap.portfolio.errors import InputError


class WritableDuckDB(DuckDB):
  """An embedded database that tables of ours are written to; the file is made if need be."""

  @contextmanager
  def transaction(self) -> Iterator[DuckDBTransaction]:
    """See `WritableBackend`."""
    self._path.parent.mkdir(parents=True, exist_ok=True)
    # What is not committed when the connection closes has never been.
    with self._connect(read_only=False) as connection:
      try:
        connection.begin()
        yield DuckDBTransaction(connection)
        connection.commit()
      except duckdb.Error as error:
        raise InputError(
          f"{self._system} ({self._path})",
          f"writing failed: {str(error).splitlines()[0]}",
          "Nothing has changed; mend the cause and run again",
        ) from error


class DuckDBTransaction:
  """See `Transaction`."""

  scratch = "TABLE"
  # An index, and old values of rows updated where they are, stay in memory until the commit; rows
  # put in, and marks of those taken out, go to disk.
  is_row_store = False

  def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
    self._connection = connection

  def lock(self, table: str) -> None:
    """See `Transaction`; a process that writes has the file to itself.

    A table of an earlier release loses the index on its key.
    """
    keys = "SELECT 1 FROM duckdb_constraints() WHERE table_name = ? AND constraint_type = ?"
    if self.fetch(Query(keys, (table, "PRIMARY KEY"))):
      plain = quote(f"{table}__without_key")
      self.execute(f"CREATE TABLE {plain} AS FROM {quote(table)}")
      self.execute(f"DROP TABLE {quote(table)}")
      self.execute(f"ALTER TABLE {plain} RENAME TO {quote(table)}")

  def execute(self, statement: str) -> int:
    """See `Transaction`."""
    answer = self._connection.execute(statement).fetchone()
    return int(answer[0]) if answer and isinstance(answer[0], int) else 0

  def fetch(self, query: Query) -> list[tuple[Any, ...]]:
    """See `Transaction`."""
    return self._connection.execute(query.text, list(query.parameters)).fetchall()

  def insert(self, table: str, rows: pa.Table) -> None:
    """See `Transaction`."""
    names = ", ".join(quote(name) for name in rows.column_names)
    # By the name of the variable; see `DuckDB.replace`.
    self._connection.execute(
      f"INSERT INTO {quote(table)} ({names}) SELECT * FROM rows"  # noqa: S608
    )
