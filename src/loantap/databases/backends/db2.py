"""DB2, read through IBM's own driver into Arrow."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from math import ceil
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from loantap.databases.backends.connection_text import find_secrets, parse_url
from loantap.databases.backends.faults import asking
from loantap.databases.backends.interface import BATCH_ROWS, Query
from loantap.portfolio.errors import InputError

T = TypeVar("T")

LOGIN_TIMEOUT_S = 30
_FORM = "db2+ibm_db://USER:PASSWORD@HOST:PORT/DATABASE?Authentication=SERVER&CurrentSchema=SCHEMA"
_PORT = 50_000
# The driver gives rows as Python objects, of which few are to be held at a time.
_ROWS_PER_FETCH = 8_192
_UTF8 = "1208"  # as IBM numbers code pages
_INSTANT = pa.timestamp("us")
# What the driver calls a type, and what its values are made into.
_TYPES = {
	"string": pa.string(),
	"int": pa.int64(),
	"bigint": pa.int64(),
	"real": pa.float64(),
	"float": pa.float64(),
	"decimal": pa.float64(),
	"timestamp": _INSTANT,
	"date": _INSTANT,
	"time": pa.time64("us"),
	"boolean": pa.bool_(),
	"clob": pa.string(),
	"xml": pa.string(),
}
_COMES_AS = {"decimal": pa.string(), "date": pa.date32()}


class DB2:
	"""A DB2 database. Nothing connects before a method is called.

	The URL's options go to IBM's driver: `Security=SSL` and `SSLServerCertificate=..` for TLS, `CurrentSchema=..` where
	the tables are not in the login's own schema. A reading, by default under cursor stability, holds up no writer, and
	may see changes committed after it began: extract at a quiet hour, or add `TxnIsolation=8` (repeatable read), which
	holds up writers to the table. A TIMESTAMP has no zone and is taken as UTC. A CHAR keeps its trailing blanks.

	Args:
		url: `db2+ibm_db://user:password@host:port/DATABASE?option=value&..`.
	"""

	def __init__(self, system: str, url: str, answer_limit_s: float | None = None) -> None:
		self._answer_limit_s = answer_limit_s
		self._system = system
		self._secrets = find_secrets(url)
		self._connection_string = _to_connection_string(system, url)

	def read(self, query: Query, batch_rows: int = BATCH_ROWS) -> pa.RecordBatchReader:
		"""See `Backend`."""
		batches = self._read(query, batch_rows)
		return pa.RecordBatchReader.from_batches(next(batches).schema, batches)

	def describe(self, table: str) -> pa.Schema:
		"""See `Backend`."""
		return self.read(Query(f"SELECT * FROM {table} WHERE 1 = 0")).schema  # noqa: S608

	def _read(self, query: Query, batch_rows: int) -> Iterator[pa.RecordBatch]:
		driver = self._driver()
		with ExitStack() as stack:
			connection = self._ask(lambda: driver.connect(self._connection_string, "", ""))
			stack.callback(driver.close, connection)
			if _is_utf8(driver.client_info(connection)):
				# Texts as they are on the wire: five times as fast as through UTF-16.
				driver.set_option(connection, {driver.USE_WCHAR: driver.WCHAR_NO}, 1)
			statement = self._ask(lambda: driver.prepare(connection, query.text))
			# Before the connection: later it would free itself by a number that another statement
			# may have by then, whose rows would end there.
			stack.callback(driver.free_stmt, statement)
			if self._answer_limit_s is not None:
				seconds = ceil(self._answer_limit_s)
				driver.set_option(statement, {driver.SQL_ATTR_QUERY_TIMEOUT: seconds}, 0)
			self._ask(lambda: driver.execute(statement, query.parameters))
			kinds, schema = _describe(driver, statement)
			yield pa.RecordBatch.from_pylist([], schema=schema)
			while parts := self._fetch(driver, statement, batch_rows, kinds, schema):
				yield pa.concat_batches(parts)

	def _fetch(
		self, driver: Any, statement: Any, rows: int, kinds: Sequence[str], schema: pa.Schema
	) -> list[pa.RecordBatch]:
		parts = []
		while rows and (
			fetched := self._ask(
				lambda: driver.fetchmany(statement, min(rows, _ROWS_PER_FETCH))  # noqa: B023
			)
		):
			columns = zip(*fetched, strict=True)
			arrays = map(_to_array, columns, kinds, schema.types)
			parts.append(pa.RecordBatch.from_arrays(list(arrays), schema=schema))
			rows -= len(fetched)
		return parts

	def _driver(self) -> Any:
		# The driver looks when it is loaded; else it takes the locale's code page and replaces what
		# does not fit.
		os.environ.setdefault("DB2CODEPAGE", _UTF8)
		# Where db2cli.ini is: no log of the driver's own, which would be in site-packages.
		os.environ.setdefault("DB2CLIINIPATH", str(Path(__file__).parent))
		try:
			import ibm_db
		except (ImportError, OSError) as error:
			raise InputError(
				self._system, f"IBM's driver is not available ({error})", "Install it: pip install loantap[db2]"
			) from error
		return ibm_db

	def _ask(self, ask: Callable[[], T]) -> T:
		# The driver raises nothing more specific than Exception.
		return asking(ask, Exception, self._system, self._secrets)


def _to_connection_string(system: str, url: str) -> str:
	"""IBM's driver has no way to quote a `;`."""
	address = parse_url(system, url, port=_PORT, form=_FORM)
	parts = {
		"Database": address.database,
		"Hostname": address.host,
		"Port": str(address.port),
		"Protocol": "TCPIP",
		"ConnectTimeout": str(LOGIN_TIMEOUT_S),
		**address.options,
		"Uid": address.user,
		"Pwd": address.password,
	}
	where = f"credentials of {system}"
	if not address.database:
		raise InputError(where, "the connection URL names no database", f"Set it to {_FORM}")
	if unfit := [key for key, value in parts.items() if ";" in key + value]:
		raise InputError(
			where,
			f"{', '.join(unfit)} in the connection URL has a semicolon, which ends it for IBM's driver",
			"Choose a password or value without one",
		)
	return "".join(f"{key}={value};" for key, value in parts.items())


def _is_utf8(client: Any) -> bool:
	"""Whether texts are UTF-8 on both sides, so that none outgrows the driver's room."""
	pages = (getattr(client, name, None) for name in ("APPL_CODEPAGE", "CONN_CODEPAGE"))
	return all(str(page) == _UTF8 for page in pages)


def _describe(driver: Any, statement: Any) -> tuple[list[str], pa.Schema]:
	numbers = range(driver.num_fields(statement))
	kinds = [driver.field_type(statement, number) for number in numbers]
	names = [driver.field_name(statement, number) for number in numbers]
	types = [_TYPES.get(kind, pa.binary()) for kind in kinds]
	return kinds, pa.schema(list(zip(names, types, strict=True)))


def _to_array(values: Sequence[Any], kind: str, type_: pa.DataType) -> pa.Array:
	# Some values come as something else first.
	return pa.array(values, _COMES_AS.get(kind, type_)).cast(type_)
