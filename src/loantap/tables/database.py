"""DuckDB in bounded memory: what exceeds it goes to disk."""

from pathlib import Path

import duckdb

from loantap.tables.memory import MIB, working_memory


def connect(
  path: Path | None = None, *, read_only: bool = False, scratch: Path | None = None
) -> duckdb.DuckDBPyConnection:
  """A database in a file, or without one a database for this computation alone.

  What exceeds the memory goes to `scratch`: by default beside the file, or in the folder of
  temporary files. Others may read a `read_only` file at the same time.

  Raises:
      duckdb.Error: the file cannot be opened.
  """
  connection = duckdb.connect(str(path or ":memory:"), read_only=read_only)
  memory = working_memory()
  connection.execute(f"SET memory_limit = '{memory // MIB}MiB'")
  if scratch is not None:
    connection.execute(f"SET temp_directory = '{_quote(scratch)}'")
  # Each file is read once or twice: a cache would only fill the memory.
  connection.execute("SET enable_external_file_cache = false")
  # DuckDB 2.0 is said to lose rows of a join that goes to disk when it filters the other side's
  # scan by what it has seen of this one: https://github.com/duckdb/duckdb/issues/25702
  connection.execute("SET disabled_optimizers = 'join_filter_pushdown'")
  return connection


def _quote(path: Path) -> str:
  return str(path).replace("'", "''")
