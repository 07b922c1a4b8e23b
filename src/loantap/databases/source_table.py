"""A table of a source system, the same whichever holds it, held against the data dictionary."""

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any, TypeVar

import pyarrow as pa

from loantap.databases.backends import EMBEDDED, Backend, make_backend
from loantap.databases.backends.connection_text import find_secrets, redact
from loantap.databases.backends.interface import BATCH_ROWS, Query
from loantap.databases.backends.waiting import GRACE_S, LONGEST_ANSWER_S, Deadline, Patience, persist, read_ahead
from loantap.portfolio.dictionary import KEYS, UPDATED_AT, Family, Table, contract_of
from loantap.portfolio.errors import InputError

T = TypeVar("T")
_CHANGED = f"{UPDATED_AT.name} >= CAST(? AS TIMESTAMP) OR {UPDATED_AT.name} IS NULL"
logger = logging.getLogger(__name__)


def check_contract(where: str, table: Table, schema: pa.Schema) -> frozenset[str]:
	"""Hold a table's columns against the dictionary; the names of columns that it does not know.

	Raises:
		InputError: a column is missing, or holds something else than it should.
	"""
	contract = contract_of(table)
	held = {field.name.lower(): field.type for field in schema}
	missing = sorted(contract.keys() - held.keys())
	if missing:
		raise InputError(
			where,
			f"column {', '.join(missing)} is missing",
			"Have it restored at the source, or read a view that has it under this name",
		)
	retyped = [
		f"column {name} is held as {held[name]}, not as {' or '.join(families)}"
		for name, families in contract.items()
		if _family_of(held[name]) not in families
	]
	if retyped:
		raise InputError(where, "; ".join(retyped), "Have the type restored at the source, or read a view that casts it")
	return frozenset(held.keys() - contract.keys())


def _family_of(kind: pa.DataType) -> Family | None:
	if pa.types.is_string(kind) or pa.types.is_large_string(kind):
		return Family.TEXT
	if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
		return Family.NUMBER
	if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
		return Family.TIME
	return None


@dataclass(frozen=True, slots=True)
class Account:
	"""What a source table says of itself, in one statement.

	Attributes:
		first_update: earliest `updated_at`, UTC without a zone, if any.
		updated: rows that `read(since)` would give; all without `since`.
	"""

	rows: int
	first_update: datetime | None
	last_update: datetime | None
	updated: int


class SourceTable:
	"""A table of a source system, read by the query `statement` when asked, `batch_rows` in memory at a time."""

	def __init__(
		self,
		system: str,
		table: Table,
		statement: str,
		credentials: dict[str, Any],
		patience: Patience,
		batch_rows: int = BATCH_ROWS,
	) -> None:
		self._table = table
		self._statement = statement
		self._credentials = credentials
		self._patience = patience
		self._batch_rows = batch_rows
		self._deadline: Deadline | None = None
		self._said: frozenset[str] = frozenset()
		self.where = f"{system}, table {table}"

	@property
	def is_embedded(self) -> bool:
		"""Whether the database is a file of ours rather than a real system."""
		return self._credentials.get("backend") == EMBEDDED

	@property
	def key(self) -> tuple[str, ...]:
		"""Columns that tell rows apart, unless the source is at fault."""
		return KEYS[self._table]

	@property
	def fingerprint(self) -> str:
		"""Digest of the query and of where it is asked: another one means other rows."""
		texts = [str(value) for _, value in sorted(self._credentials.items())]
		places = [redact(text, find_secrets(text)) for text in texts]
		asked = "\n".join([self.where, *places, self._statement])
		return hashlib.sha256(asked.encode()).hexdigest()

	def describe(self) -> pa.Schema:
		"""The columns that the table has; raises as `Backend.describe`, or InputError after the time limit."""
		backend = self._backend()
		# A system that hangs is not waited for without end.
		with read_ahead(lambda: backend.describe(self._table).empty_table().to_reader(), self._begin()) as reader:
			return reader.schema

	def hold_to_contract(self, schema: pa.Schema) -> frozenset[str]:
		"""Names of the columns beyond the contract; see `check_contract`."""
		return check_contract(self.where, self._table, schema)

	def try_query(self) -> None:
		"""Have the system take the extraction query, and give no row; raises as `account`."""
		query = Query(f"{self._statement}\nWHERE 1 = 0")
		with read_ahead(lambda: self._backend().read(query), self._begin()) as reader:
			reader.read_all()

	def account(self, since: datetime | None = None) -> Account:
		"""Number of rows, first and last update, and how many rows `read(since)` would give.

		Raises:
			SourceDownError: no answer. InputError: it refuses, or the time limit has passed.
		"""
		updated = "COUNT(*)" if since is None else f"COUNT(CASE WHEN {_CHANGED} THEN 1 END)"
		name = UPDATED_AT.name
		query = Query(
			f"SELECT COUNT(*), MIN({name}), MAX({name}), {updated} FROM {self._table}",  # noqa: S608
			_as_parameters(since),
		)
		with read_ahead(lambda: self._backend().read(query), self._begin()) as reader:
			rows, first, last, changed = reader.read_all().to_batches()[0].columns
		return Account(rows[0].as_py(), first[0].as_py(), last[0].as_py(), changed[0].as_py())

	def read(self, since: datetime | None = None) -> pa.RecordBatchReader:
		"""All rows, or those as new as `since` (UTC) and those without a time, in batches.

		One statement, hence one state of the data. Columns have the names of the contract.

		Raises:
			SourceDownError, InputError: as `account`; also while batches are read, or columns break the contract.
		"""
		text = self._statement if since is None else f"{self._statement}\nWHERE {_CHANGED}"
		query = Query(text, _as_parameters(since))
		return read_ahead(lambda: self._open(query), self._begin())

	@contextmanager
	def in_time(self) -> Iterator[None]:
		"""One time limit for all that is asked within, attempts and pauses included."""
		self._deadline = Deadline(self.where, self._patience)
		try:
			yield
		finally:
			self._deadline = None

	def persist(self, attempt: Callable[[], T]) -> T:
		"""What an attempt to read gives, made again with pauses while the source is down.

		The time limit holds for all attempts together; then InputError.
		"""
		if self._deadline is not None:
			return persist(attempt, self._deadline)
		with self.in_time():
			return persist(attempt, self._begin())

	def _begin(self) -> Deadline:
		return self._deadline or Deadline(self.where, self._patience)

	def _backend(self) -> Backend:
		# What nobody waits for soon ends at the system as well.
		limit = min(*astuple(self._patience), LONGEST_ANSWER_S) + GRACE_S
		return make_backend(self.where, self._credentials, limit)

	def _open(self, query: Query) -> pa.RecordBatchReader:
		backend = self._backend()
		unknown = self.hold_to_contract(backend.describe(self._table))
		if unknown - self._said:
			logger.warning("%s: new columns %s are ignored", self.where, ", ".join(sorted(unknown)))
			self._said = unknown
		reader = backend.read(query, self._batch_rows)
		# Some systems give names in upper case.
		names = [name.lower() for name in reader.schema.names]
		fields = [field.with_name(name) for field, name in zip(reader.schema, names, strict=True)]
		return pa.RecordBatchReader.from_batches(pa.schema(fields), (batch.rename_columns(names) for batch in reader))


def _as_parameters(since: datetime | None) -> tuple[str, ...]:
	return () if since is None else (since.isoformat(sep=" ", timespec="microseconds"),)
