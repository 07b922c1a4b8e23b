"""Databricks SQL, read through its own connector, which gives Arrow."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from math import ceil
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from loantap.databases.backends.connection_text import Address, find_secrets, parse_url
from loantap.databases.backends.faults import explain
from loantap.databases.backends.interface import BATCH_ROWS, Query, plain_schema, to_plain
from loantap.portfolio.errors import InputError

T = TypeVar("T")

# For one answer; a statement is asked about again and again while it runs.
ANSWER_TIMEOUT_S = 60
_FORM = "databricks://token:TOKEN@HOST?http_path=/sql/1.0/warehouses/ID&catalog=..&schema=.."
_PORT = 443
_OPTIONS = frozenset({"http_path", "catalog", "schema", "tls_ca_file", "use_cloud_fetch"})


class Databricks:
	"""A Databricks SQL warehouse. Nothing connects before a method is called.

	Options of the URL: `http_path` of the warehouse (always), `catalog` and `schema` of the tables, `tls_ca_file` for a
	certificate authority of one's own, `use_cloud_fetch=false` where the storage that hands over large results cannot
	be reached. A query sees one version of its Delta tables. The session's time zone is UTC.

	Args:
		url: `databricks://token:TOKEN@host:port?http_path=..&catalog=..&schema=..`.

	Raises:
		InputError: the URL is not complete, or has an option that is not known.
	"""

	def __init__(self, system: str, url: str, answer_limit_s: float | None = None) -> None:
		self._answer_limit_s = answer_limit_s
		self._system = system
		self._secrets = find_secrets(url)
		self._address = _parse(system, url)

	def read(self, query: Query, batch_rows: int = BATCH_ROWS) -> pa.RecordBatchReader:
		"""See `Backend`."""
		batches = self._read(query, batch_rows)
		# The first has no rows: it says what columns there are.
		schema = next(batches).schema
		return pa.RecordBatchReader.from_batches(plain_schema(schema), to_plain(schema, batches))

	def describe(self, table: str) -> pa.Schema:
		"""See `Backend`."""
		return self.read(Query(f"SELECT * FROM {table} WHERE 1 = 0")).schema  # noqa: S608

	def _read(self, query: Query, batch_rows: int) -> Iterator[pa.RecordBatch]:
		connection = self._ask(self._connect)
		try:
			cursor = self._ask(lambda: connection.cursor(arraysize=batch_rows))
			self._ask(lambda: cursor.execute(query.text, list(query.parameters) or None))
			rows = self._ask(lambda: cursor.fetchmany_arrow(batch_rows))
			yield pa.RecordBatch.from_pylist([], schema=rows.schema)
			while rows.num_rows:
				yield from rows.combine_chunks().to_batches()
				rows = self._ask(lambda: cursor.fetchmany_arrow(batch_rows))
		finally:
			# A session that is not there any more need not be closed.
			with contextlib.suppress(InputError):
				self._ask(connection.close)

	def _connect(self) -> Any:
		address, options = self._address, self._address.options
		return self._driver().connect(
			server_hostname=address.host,
			_port=address.port,
			http_path=options["http_path"],
			access_token=address.password,
			catalog=options.get("catalog"),
			schema=options.get("schema"),
			_tls_trusted_ca_file=options.get("tls_ca_file"),
			use_cloud_fetch=options.get("use_cloud_fetch") != "false",
			session_configuration=self._configure_session(),
			enable_telemetry=False,
			_socket_timeout=ANSWER_TIMEOUT_S,
			# What is tried again is decided in `waiting`.
			_retry_stop_after_attempts_count=1,
			_retry_stop_after_attempts_duration=ANSWER_TIMEOUT_S,
		)

	def _configure_session(self) -> dict[str, str]:
		limit = self._answer_limit_s
		return {"TIMEZONE": "UTC"} | ({"STATEMENT_TIMEOUT": str(ceil(limit))} if limit else {})

	def _driver(self) -> Any:
		try:
			from databricks import sql
		except (ImportError, OSError) as error:
			raise InputError(
				self._system,
				f"the Databricks connector is not available ({error})",
				"Install it: pip install loantap[databricks]",
			) from error
		# Here the connector logs what is sent and received, rows and all.
		logging.getLogger("databricks.sql.unsafe").setLevel(logging.CRITICAL)
		logging.getLogger("databricks.sql").setLevel(logging.CRITICAL)
		return sql

	def _ask(self, ask: Callable[[], T]) -> T:
		driver = self._driver()
		# The connector lets its errors through.
		from urllib3.exceptions import HTTPError

		try:
			return ask()
		except (driver.Error, HTTPError, OSError) as error:
			status = getattr(error, "context", {}).get("http-code")
			message = f"{error} (HTTP {status})" if status else str(error)
		# Out here the connector's error is not the context of ours.
		raise explain(self._system, message, self._secrets)


def _parse(system: str, url: str) -> Address:
	address = parse_url(system, url, port=_PORT, form=_FORM)
	where = f"credentials of {system}"
	if "http_path" not in address.options:
		raise InputError(where, "the connection URL has no http_path", f"Set it to {_FORM}")
	if unknown := sorted(address.options.keys() - _OPTIONS):
		raise InputError(
			where,
			f"the connection URL has options {', '.join(unknown)}, which are not known",
			f"Known names: {', '.join(sorted(_OPTIONS))}",
		)
	authority = address.options.get("tls_ca_file")
	if authority is not None and not Path(authority).is_file():
		raise InputError(
			where,
			f"there is no file {authority}, which tls_ca_file names",
			"Correct the path, or leave tls_ca_file out for an authority that the machine trusts",
		)
	return address
