"""Tables of ours in a PostgreSQL warehouse, written over ODBC by pyodbc.

One parameter a column, an array of thousands of values: bound row by row, rows take three to ten
times as long (`tools/benchmarks/bench_write_back.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from types import ModuleType
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from loantap.databases.backends.connection_text import set_odbc
from loantap.databases.backends.faults import asking
from loantap.databases.backends.interface import Query, SourceDownError, quote
from loantap.databases.backends.odbc import LOGIN_TIMEOUT_S, Odbc
from loantap.databases.backends.waiting import GRACE_S, LONGEST_ANSWER_S, SILENCE_LIMIT_S, Caller
from loantap.portfolio.errors import InputError

T = TypeVar("T")

# More in one statement only cost memory.
_ROWS_AT_A_TIME = 10_000
# For the lock on a table; a transaction of ours takes seconds.
_MAX_SECONDS_LOCKED = 300
_SETTINGS = {
	# Parameters of megabytes are better sent than written into the statement.
	"UseServerSidePrepare": "1",
	# No savepoint before each statement: the first that fails ends the transaction.
	"Protocol": "7.4-1",
	# Seconds: a server gone without a word is noticed after two or three minutes.
	"KeepaliveTime": "60",
	"KeepaliveInterval": "10",
}
_ARRAY_TYPES = {
	pa.string(): "text[]",
	pa.large_string(): "text[]",
	pa.float64(): "double precision[]",
	pa.int64(): "bigint[]",
	pa.timestamp("us"): "timestamp[]",
	pa.bool_(): "boolean[]",
}


class WritableOdbc(Odbc):
	"""A PostgreSQL database for tables of ours, which go to the first schema of `search_path`."""

	def __init__(self, system: str, connection: str, answer_limit_s: float = SILENCE_LIMIT_S) -> None:
		self._limit_s = min(answer_limit_s, LONGEST_ANSWER_S)
		# A little later than nobody waits any more.
		super().__init__(system, connection, self._limit_s + GRACE_S)

	@contextmanager
	def transaction(self) -> Iterator[PostgresTransaction]:
		"""See `WritableBackend`."""
		text, is_postgres = self._complete()
		if not is_postgres:
			raise InputError(
				self._system,
				"tables are written to PostgreSQL only, and this driver is not PostgreSQL's",
				"Give the connection string of a PostgreSQL database",
			)
		driver = self._import_pyodbc()

		text = set_odbc(text, **_SETTINGS)
		with Caller(self._system, self._limit_s) as caller:

			def ask(question: Callable[[], T]) -> T:
				return caller.call(lambda: asking(question, driver.Error, self._system, self._secrets))

			connection = ask(lambda: driver.connect(text, autocommit=False, timeout=LOGIN_TIMEOUT_S))
			try:
				for statement in self._session_statements():
					ask(partial(connection.execute, statement))
				yield PostgresTransaction(connection, ask, self._system, self._limit_s)
				ask(connection.commit)
			finally:
				# What is not committed by now has never been; a connection that hangs is closed
				# when it no longer does.
				if caller.gave_up:
					caller.call_later(connection.close)
				else:
					with suppress(driver.Error, SourceDownError):
						caller.call(connection.close)

	def _import_pyodbc(self) -> ModuleType:
		try:
			import pyodbc
		except (ImportError, OSError) as error:
			raise self._not_installed(error) from error
		module: ModuleType = pyodbc
		return module


class PostgresTransaction:
	"""A `Transaction` on a pyodbc connection without autocommit; `ask` explains errors, `limit_s` ends the waiting."""

	# No log; empty after a crash of the server.
	scratch = "UNLOGGED TABLE"
	is_row_store = True

	def __init__(self, connection: Any, ask: Callable[[Callable[[], Any]], Any], where: str, limit_s: float) -> None:
		self._connection = connection
		self._ask = ask
		self._where = where
		self._lock_limit_s = min(_MAX_SECONDS_LOCKED, 0.8 * limit_s)

	def lock(self, table: str) -> None:
		"""See `Transaction`; readers are not kept waiting."""
		self.execute(f"SET LOCAL lock_timeout = '{self._lock_limit_s * 1_000:.0f}ms'")
		# By name: there may be no table yet.
		name = "current_database() || '.' || current_schema() || '.' || ?"
		self.fetch(Query(f"SELECT pg_advisory_xact_lock(hashtextextended({name}, 0))", (table,)))
		if self.fetch(Query("SELECT to_regclass(?)", (quote(table),))) != [(None,)]:
			self.execute(f"LOCK TABLE {quote(table)} IN SHARE ROW EXCLUSIVE MODE")

	def execute(self, statement: str) -> int:
		"""See `Transaction`."""
		cursor = self._ask(lambda: self._connection.execute(statement))
		return max(int(cursor.rowcount), 0)

	def fetch(self, query: Query) -> list[tuple[Any, ...]]:
		"""See `Transaction`."""
		rows = self._ask(lambda: self._connection.execute(query.text, query.parameters).fetchall())
		return [tuple(row) for row in rows]

	def insert(self, table: str, rows: pa.Table) -> None:
		"""See `Transaction`."""
		names = ", ".join(quote(name) for name in rows.column_names)
		places = ", ".join(f"CAST(? AS {_ARRAY_TYPES[field.type]})" for field in rows.schema)
		statement = f"INSERT INTO {quote(table)} ({names}) SELECT * FROM unnest({places})"  # noqa: S608 (quoted names)
		batches = rows.combine_chunks().to_batches(_ROWS_AT_A_TIME)
		# The next arrays are made while the server takes these.
		with ThreadPoolExecutor(1) as maker:
			for arrays in maker.map(self._make_arrays, batches):
				self._ask(lambda: self._connection.execute(statement, arrays))  # noqa: B023 (called at once)

	def _make_arrays(self, batch: pa.RecordBatch) -> list[str]:
		for name, column in zip(batch.schema.names, batch.columns, strict=True):
			if _is_text(column) and pc.any(pc.match_substring(column, "\0")).as_py():
				raise InputError(
					self._where, f"column {name} has a text with the character NUL", "Remove it: PostgreSQL cannot hold it"
				)
		return [_to_literal(column) for column in batch.columns]


def _to_literal(column: pa.Array) -> str:
	"""As the text of a PostgreSQL array; numbers with all their digits."""
	texts = column.cast(pa.large_string())
	if _is_text(column):
		escaped = pc.replace_substring(pc.replace_substring(texts, "\\", "\\\\"), '"', '\\"')
		quotes = pa.scalar('"', pa.large_string())
		texts = pc.binary_join_element_wise(quotes, escaped, quotes, pa.scalar("", pa.large_string()))
	filled = pc.fill_null(texts, "NULL")
	return "{" + ",".join(filled.to_pylist()) + "}"


def _is_text(column: pa.Array) -> bool:
	return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))
