"""Which run wrote a table of ours: a mark that appears in the transaction that writes the rows."""

from pathlib import Path

from loantap.databases.backends.embedded import DuckDB, WritableDuckDB
from loantap.databases.backends.interface import Query, Transaction, quote
from loantap.portfolio.errors import InputError

_STAGED = "%\\_\\_staged\\_%"
_OURS = "the warehouse of this project"


def mark(table: str, run: str, transaction: Transaction) -> None:
  """Say on a table of the embedded warehouse which run wrote it."""
  # A run is named by digits, letters, dots and hyphens.
  transaction.execute(f"COMMENT ON TABLE {quote(table)} IS 'written by run {run}'")


def is_marked(database: Path, table: str, run: str) -> bool:
  """Whether a run has written a table of the embedded warehouse, and its transaction ended.

  Raises:
      InputError: the file cannot be read.
  """
  if not database.exists():
    return False
  question = "SELECT comment FROM duckdb_tables() WHERE table_name = ?"
  try:
    found = DuckDB(_OURS, database).read(Query(question, (table,))).read_all()
  except InputError as error:
    raise InputError(
      f"{_OURS} ({database})",
      "an earlier run was ended while it published, and the file cannot be read to find out "
      f"whether its tables are there: {error.problem}",
      "Close every other program that has the file open, and run again",
    ) from error
  comments: list[str | None] = found["comment"].to_pylist()
  return comments == [f"written by run {run}"]


def drop_staged(database: Path) -> None:
  """Drop the staging tables in the embedded warehouse; for who has the project to itself."""
  if not database.exists():
    return
  question = "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE ? ESCAPE '\\'"
  with WritableDuckDB(_OURS, database).transaction() as transaction:
    for (table,) in transaction.fetch(Query(question, (_STAGED,))):
      transaction.execute(f"DROP TABLE {quote(table)}")
