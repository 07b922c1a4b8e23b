"""A database of ours in one DuckDB file, read natively through Arrow, and which run wrote a table of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from loantap.databases.backends.interface import (
	BATCH_ROWS,
	Query,
	SourceDownError,
	Transaction,
	plain_schema,
	quote,
	to_plain,
)
from loantap.portfolio.errors import InputError
from loantap.tables.database import connect

EMBEDDED = "duckdb"
_STAGED = "%\\_\\_staged\\_%"
_OURS = "the warehouse of this project"


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
		self._connection.execute(
			f"INSERT INTO {quote(table)} ({names}) SELECT * FROM rows"  # noqa: S608
		)


def mark(table: str, run: str, transaction: Transaction) -> None:
	"""Say on a table of the embedded warehouse which run wrote it."""
	# A run is named by digits, letters, dots and hyphens.
	transaction.execute(f"COMMENT ON TABLE {quote(table)} IS 'written by run {run}'")


def is_marked(database: Path, table: str, run: str) -> bool:
	"""Whether a run has written a table of the embedded warehouse, and its transaction ended."""
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
