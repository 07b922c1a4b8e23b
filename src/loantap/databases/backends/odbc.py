"""Any system behind an ODBC driver, read into Arrow by arrow-odbc."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import pyarrow as pa

from loantap.databases.backends.connection_text import find_secrets, parse_odbc, set_odbc
from loantap.databases.backends.faults import asking
from loantap.databases.backends.interface import BATCH_ROWS, MAX_TEXT_BYTES, Query, plain_schema
from loantap.databases.backends.packed_rows import find_longest, pack, unpack
from loantap.portfolio.errors import InputError

T = TypeVar("T")

LOGIN_TIMEOUT_S = 30
# The driver's buffer has room for the longest text in each field; more room is hardly faster.
_BUFFER_BYTES = 16 << 20
# Held by PostgreSQL and its driver; more are not faster.
_ROWS_PER_FETCH = 5_000
# 1,600 columns, as many as a table can have, of the longest texts.
_LONGEST_ROW_BYTES = 16 << 20
# Packed rows that become columns together, and the driver's buffer for them.
_BUNDLE_BYTES = 4 << 20
_SESSION = ("SET TIME ZONE 'UTC'", "SET datestyle = 'ISO'", "SET extra_float_digits = 3")
# A limit of the login's own that is shorter stays.
_LIMIT_STATEMENTS = (
	"SELECT set_config('statement_timeout', '{ms}', false) FROM pg_settings "
	"WHERE name = 'statement_timeout' AND CAST(setting AS bigint) NOT BETWEEN 1 AND {ms}"
)
# Not a file's: which driver that names is not known before it is read.
_NAMES_A_DRIVER = frozenset({"driver", "dsn"})
_POSTGRES = re.compile(r"postgres|psqlodbc", re.IGNORECASE)
# It comes with ibm_db, and looks like an ODBC driver.
_CLI = re.compile(r"libdb2\.so", re.IGNORECASE)
_ANSI = re.compile(r"postgres.*ansi|psqlodbca", re.IGNORECASE)


class Odbc:
	"""A system behind an ODBC driver; InputError for one that cannot be used. Nothing connects before a method does."""

	def __init__(self, system: str, connection: str, answer_limit_s: float | None = None) -> None:
		self._system = system
		self._answer_limit_s = answer_limit_s
		self._connection = connection
		self._secrets = find_secrets(connection)
		named = parse_odbc(connection)
		if not named.keys() & _NAMES_A_DRIVER:
			raise InputError(
				f"credentials of {system}",
				"the connection string names no driver",
				"Begin it with Driver={PostgreSQL Unicode}; or another one that `odbcinst -q -d` "
				"lists, or DSN=..; a value with a semicolon in it goes into braces",
			)
		driver = named.get("driver", "")
		if _ANSI.search(driver):
			raise InputError(
				system,
				"the ANSI driver of PostgreSQL loses characters",
				"Use Driver={PostgreSQL Unicode}, from the same package",
			)
		if _CLI.search(driver):
			raise InputError(
				system,
				"libdb2.so cannot be used as an ODBC driver here: it garbles NULLs",
				"Use a URL, db2+ibm_db://.., or libdb2o.so of IBM's ODBC package",
			)

	def read(self, query: Query, batch_rows: int = BATCH_ROWS) -> pa.RecordBatchReader:
		"""See `Backend`."""
		batches = self._read(query, batch_rows)
		first = next(batches)

		def all_batches() -> Iterator[pa.RecordBatch]:
			yield first
			yield from batches

		return pa.RecordBatchReader.from_batches(first.schema, all_batches())

	def describe(self, table: str) -> pa.Schema:
		"""See `Backend`."""
		return self.read(Query(f"SELECT * FROM {table} WHERE 1 = 0")).schema  # noqa: S608

	def _read(self, query: Query, batch_rows: int) -> Iterator[pa.RecordBatch]:
		text, is_postgres = self._complete()
		connection = self._ask(
			lambda: self._driver().connect(text, login_timeout_sec=LOGIN_TIMEOUT_S, autocommit=not is_postgres)
		)
		fetch = partial(
			connection.read_arrow_batches,
			max_bytes_per_batch=_BUFFER_BYTES,
			max_text_size=MAX_TEXT_BYTES,
			# Columns that are only described: none that is read holds bytes.
			max_binary_size=MAX_TEXT_BYTES,
			map_schema=plain_schema,
			# `waiting` fetches ahead in any case.
			fetch_concurrently=False,
		)
		read = self._read_by_cursor if is_postgres else self._read_at_once
		yield from _gather(read(connection, fetch, query, batch_rows), batch_rows)

	def _read_at_once(self, _: Any, fetch: Callable[..., Any], query: Query, batch_rows: int) -> Iterator[pa.RecordBatch]:
		parameters = list(query.parameters) or None
		reader = self._ask(lambda: fetch(query.text, batch_size=batch_rows, parameters=parameters))
		yield _empty(reader.schema)
		yield from self._drain(reader)

	def _read_by_cursor(
		self, connection: Any, fetch: Callable[..., Any], query: Query, batch_rows: int
	) -> Iterator[pa.RecordBatch]:
		"""The rows of PostgreSQL, whose driver would hold the whole result otherwise.

		Its own remedy, UseDeclareFetch=1, crashes the process when the connection is cut in
		mid-read (psqlodbc 13.02, in SQLFetch). One cursor sees one state of the data. For the
		packing see `packed_rows`.
		"""
		rows = min(batch_rows, _ROWS_PER_FETCH)
		for statement in self._session_statements():
			self._ask(partial(connection.execute, statement))
		parameters = list(query.parameters) or None
		asked = f"SELECT * FROM ({query.text}\n) AS asked WHERE 1 = 0"  # noqa: S608 (our own)
		schema = self._ask(lambda: fetch(asked, batch_size=rows, parameters=parameters)).schema
		yield _empty(schema)
		declare = f"DECLARE extraction NO SCROLL CURSOR FOR {pack(query.text)}"
		self._ask(lambda: connection.execute(declare, parameters=parameters))
		# Rows are unpacked while the next ones are on their way.
		with ThreadPoolExecutor(1) as unpacker:
			held: Future[pa.RecordBatch] | None = None
			for texts in self._fetch(fetch, rows, find_longest(schema)):
				batch = unpacker.submit(unpack, self._system, texts, schema)
				if held is not None:
					yield held.result()
				held = batch
			if held is not None:
				yield held.result()

	def _fetch(self, fetch: Callable[..., Any], rows: int, longest: int) -> Iterator[list[pa.Array]]:
		fetched = rows
		while fetched == rows:
			reader = self._ask(
				lambda: fetch(
					f"FETCH FORWARD {rows} FROM extraction",
					batch_size=rows,
					max_bytes_per_batch=max(_BUNDLE_BYTES, 2 * longest),
					max_text_size=longest,
				)
			)
			fetched = 0
			for texts in _bundle(self._drain(reader)):
				fetched += sum(len(text) for text in texts)
				yield texts

	def _session_statements(self) -> Iterator[str]:
		yield from _SESSION
		if self._answer_limit_s is not None:
			yield _LIMIT_STATEMENTS.format(ms=max(round(self._answer_limit_s * 1_000), 1))

	def _drain(self, reader: Any) -> Iterator[pa.RecordBatch]:
		while (batch := self._ask(lambda: next(reader, None))) is not None:
			yield batch

	def _complete(self) -> tuple[str, bool]:
		"""The connection string completed for PostgreSQL's driver, and whether it is that."""
		named = parse_odbc(self._connection)
		driver = named.get("driver") or self._driver_of(named.get("dsn", ""))
		if not _POSTGRES.search(driver):
			return self._connection, False
		return set_odbc(
			self._connection,
			UseDeclareFetch="0",
			BoolsAsChar="0",
			UnknownSizes="0",
			# What the login may do is a matter of its rights.
			ReadOnly="0",
			# The driver puts parameters in itself: PostgreSQL takes none in a DECLARE.
			UseServerSidePrepare="0",
			# A packed row is one text.
			MaxLongVarcharSize=str(_LONGEST_ROW_BYTES),
		), True

	def _driver_of(self, dsn: str) -> str:
		"""Driver of a data source of this machine; "" when unknown."""
		try:
			import pyodbc
		except (ImportError, OSError) as error:
			raise self._not_installed(error) from error
		return str(pyodbc.dataSources().get(dsn, ""))

	def _driver(self) -> Any:
		"""arrow-odbc needs the driver manager as soon as it is imported."""
		try:
			import arrow_odbc
		except (ImportError, OSError) as error:
			raise self._not_installed(error) from error
		return arrow_odbc

	def _not_installed(self, error: Exception) -> InputError:
		return InputError(
			self._system,
			f"ODBC is not available ({error})",
			"Install the extra `loantap[odbc]` and the system package unixodbc",
		)

	def _ask(self, ask: Callable[[], T]) -> T:
		return asking(ask, self._driver().Error, self._system, self._secrets)


def _bundle(batches: Iterator[pa.RecordBatch]) -> Iterator[list[pa.Array]]:
	held: list[pa.Array] = []
	size = 0
	for batch in batches:
		held.append(batch.column(0))
		size += batch.nbytes
		if size >= _BUNDLE_BYTES:
			yield held
			held, size = [], 0
	if held:
		yield held


def _empty(schema: pa.Schema) -> pa.RecordBatch:
	return pa.RecordBatch.from_pylist([], schema=schema)


def _gather(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
	held, number = [next(batches)], 0
	for batch in batches:
		held.append(batch)
		number += batch.num_rows
		if number >= rows:
			yield pa.concat_batches(held)
			held, number = [], 0
	if held:
		yield pa.concat_batches(held)
