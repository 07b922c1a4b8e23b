"""A database of ours in one DuckDB file, read natively through Arrow."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from loantap.databases.backends.interface import BATCH_ROWS, Query, SourceDownError
from loantap.databases.backends.types import plain_schema, to_plain
from loantap.portfolio.errors import InputError
from loantap.tables.database import connect

EMBEDDED = "duckdb"


class DuckDB:
  """A database in one file. Nothing opens it before a method is called."""

  def __init__(self, system: str, path: Path) -> None:
    self._system = system
    self._path = path

  def read(self, query: Query, batch_rows: int = BATCH_ROWS) -> pa.RecordBatchReader:
    """See `Backend`."""
    connection = self._connect(read_only=True)
    try:
      relation = connection.sql(query.text, params=list(query.parameters))
      reader = relation.to_arrow_reader(batch_rows)
    except duckdb.Error as error:
      connection.close()
      raise InputError(
        f"{self._system} ({self._path})",
        f"the query failed: {str(error).splitlines()[0]}",
        "Rebuild the embedded sources with `kedro run --pipelines sources`",
      ) from error

    def batches() -> Iterator[pa.RecordBatch]:
      # The reader lives off the connection.
      with connection:
        yield from to_plain(reader.schema, reader)

    return pa.RecordBatchReader.from_batches(plain_schema(reader.schema), batches())

  def describe(self, table: str) -> pa.Schema:
    """See `Backend`."""
    return self.read(Query(f"SELECT * FROM {table} WHERE 1 = 0")).schema  # noqa: S608

  def replace(self, table: str, frames: Iterable[pd.DataFrame]) -> None:
    """Replace a table in one transaction, from frames whose columns are matched by name."""
    self._path.parent.mkdir(parents=True, exist_ok=True)
    with self._connect(read_only=False) as connection:
      connection.begin()
      # DuckDB finds the rows by the name of the variable. What is registered instead stays in
      # memory until the transaction ends.
      for number, frame in enumerate(frames):  # noqa: B007
        if number == 0:
          connection.execute(f'CREATE OR REPLACE TABLE "{table}" AS FROM frame')
        else:
          connection.execute(f'INSERT INTO "{table}" BY NAME FROM frame')
      connection.commit()

  def has_table(self, table: str) -> bool:
    """Whether the table can be read; none can where there is no file."""
    if not self._path.exists():
      return False
    with self._connect(read_only=True) as connection:
      names = connection.execute("SELECT table_name FROM information_schema.tables")
      return (table,) in names.fetchall()

  def _connect(self, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
      return connect(self._path, read_only=read_only)
    except duckdb.IOException as error:
      # A writer waits for others to let go of the file.
      is_held = not read_only and "lock" in str(error)
      kind = SourceDownError if is_held else InputError
      raise kind(
        f"{self._system} ({self._path})",
        f"the file cannot be opened: {str(error).splitlines()[0]}",
        "Build the embedded sources with `kedro run --pipelines sources`, or end the "
        "other process that holds the file open",
      ) from error
