"""What every database offers, whatever driver reaches it, and the few types in which it gives columns."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from loantap.portfolio.errors import InputError

BATCH_ROWS = 32_768
# Longest text a source may hold, in UTF-8; drivers reserve room for it.
MAX_TEXT_BYTES = 4_096
_INSTANT = pa.timestamp("us")


class SourceDownError(InputError):
	"""A system that does not answer now but may in a moment: worth another attempt."""


@dataclass(frozen=True, slots=True)
class Query:
	"""A statement in the SQL of all systems.

	It has a `?` for each parameter, which it casts from text, and no semicolon at the end.
	"""

	text: str
	parameters: tuple[str, ...] = ()


def quote(name: str) -> str:
	"""A name as SQL takes it, whatever is in it."""
	return '"' + name.replace('"', '""') + '"'


class Backend(Protocol):
	"""A database that can be read. Nothing connects before a method is called."""

	def read(self, query: Query, batch_rows: int = BATCH_ROWS) -> pa.RecordBatchReader:
		"""Run a query in one statement, hence on one state of the data.

		Batches are read when asked for; the connection closes with the last one or with the reader. Numbers are float64
		or int64, texts `string`, times `timestamp[us]` in UTC without a zone.

		Raises:
			SourceDownError: no answer, or a broken connection; also while batches are read.
			InputError: it refuses the login, the table, the column or the statement.
		"""

	def describe(self, table: str) -> pa.Schema:
		"""Names and types of all columns of a table, without reading rows; raises as `read`."""


class Transaction(Protocol):
	"""Statements that take effect together, or not at all; they raise as `Backend.read`.

	Attributes:
		scratch: begins a CREATE of a table that is quick to fill and need not be kept.
		is_row_store: good at single rows: its tables have an index on their key, and rows are updated in place.
	"""

	scratch: str
	is_row_store: bool

	def lock(self, table: str) -> None:
		"""Wait until no other transaction of ours writes to the table; it need not exist yet.

		Raises:
			SourceDownError: another one has held it for minutes.
		"""

	def execute(self, statement: str) -> int:
		"""Run a statement; the number of rows it inserted, changed or removed."""

	def fetch(self, query: Query) -> list[tuple[Any, ...]]:
		"""All rows of a small result."""

	def insert(self, table: str, rows: pa.Table) -> None:
		"""Append rows to a table in bulk; texts, float64, int64, booleans and `timestamp[us]`."""


class WritableBackend(Backend, Protocol):
	"""A database that tables of ours can be written to."""

	def transaction(self) -> AbstractContextManager[Transaction]:
		"""Connect; what is done within takes effect when the block ends well.

		Raises as `read`; then nothing has changed.
		"""


def plain_schema(schema: pa.Schema) -> pa.Schema:
	"""The columns as `Backend.read` gives them; fractions of any width become float64, as drivers disagree on it."""
	return pa.schema([pa.field(field.name, plain_type(field.type)) for field in schema])


def plain_type(kind: pa.DataType) -> pa.DataType:
	"""The plain type for one type; itself where there is none, for the contract to name it."""
	if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
		return pa.float64()
	if pa.types.is_integer(kind):
		return pa.int64()
	if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
		return _INSTANT
	# A column that is NULL throughout has no type of its own in some systems.
	if pa.types.is_large_string(kind) or pa.types.is_null(kind):
		return pa.string()
	return kind


def to_plain(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
	"""The batches in the plain types of their schema; times with a zone are put into UTC."""
	plain = plain_schema(schema)
	for batch in batches:
		yield batch if batch.schema == plain else batch.cast(plain)
