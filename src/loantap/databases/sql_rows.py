"""What a table of ours is made of: its columns' types, and rows of exactly these types."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import pandas as pd
import pyarrow as pa

from loantap.portfolio.errors import InputError

Rows: TypeAlias = pd.DataFrame | pa.Table | pa.RecordBatch
BATCH_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class SqlType:
	"""How one kind of column is stored.

	Attributes:
		name: as tables of ours declare it.
		known_as: types that hold it in columns made by others or by an earlier release.
	"""

	name: str
	known_as: frozenset[str]
	arrow: pa.DataType
	holds: Callable[[pa.DataType], bool]


def _is_text(kind: pa.DataType) -> bool:
	return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_decimal_or_float(kind: pa.DataType) -> bool:
	return bool(pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _is_moment(kind: pa.DataType) -> bool:
	return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


# What PostgreSQL and DuckDB both understand.
SQL_TYPES = (
	SqlType("text", frozenset({"text", "varchar", "character varying"}), pa.large_string(), _is_text),
	SqlType("double precision", frozenset({"double precision", "double"}), pa.float64(), _is_decimal_or_float),
	SqlType("bigint", frozenset({"bigint", "integer", "smallint", "tinyint"}), pa.int64(), pa.types.is_integer),
	SqlType(
		"timestamp", frozenset({"timestamp", "timestamp without time zone", "timestamp_s"}), pa.timestamp("us"), _is_moment
	),
	SqlType("boolean", frozenset({"boolean"}), pa.bool_(), pa.types.is_boolean),
)


def sql_type(kind: pa.DataType) -> SqlType:
	"""How a column of one of the types of `RowShaper` is stored."""
	return next(stored for stored in SQL_TYPES if stored.holds(kind))


class RowShaper:
	"""Gives all rows of a table the columns and types of its first ones.

	Texts, float64, int64, booleans, times in UTC without a zone; NaN is missing, which `key` must not be.
	"""

	def __init__(self, where: str, key: Iterable[str]) -> None:
		self._where = where
		self._key = tuple(key)
		self._schema: pa.Schema | None = None

	def shape(self, data: Rows | Iterable[Rows]) -> Iterator[pa.Table]:
		"""The rows in Arrow, some ten thousand at a time; at least one table, perhaps empty.

		Raises:
			InputError: a column is missing, new or not of a type stored, a value does not fit, or a row has no key.
		"""
		for table in _split(data):
			if self._schema is None:
				self._schema = self._choose_types(table.schema)
			shaped = self._cast(table, self._schema)
			self._require_keys(shaped)
			yield shaped

	def _choose_types(self, given: pa.Schema) -> pa.Schema:
		if missing := [name for name in self._key if name not in given.names]:
			raise self._refuse(f"column {missing[0]}, a part of its key, is missing", "Add it")
		return pa.schema([(field.name, self._choose_type(field)) for field in given])

	def _choose_type(self, field: pa.Field) -> pa.DataType:
		kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
		for stored in SQL_TYPES:
			if stored.holds(kind):
				return stored.arrow
		raise self._refuse(
			f"column {field.name} is of type {kind}, which is not stored in a database",
			"Give it a dtype of text, number, boolean or time",
		)

	def _cast(self, table: pa.Table, schema: pa.Schema) -> pa.Table:
		if strange := set(schema.names) ^ set(table.schema.names):
			raise self._refuse(f"column {min(strange)} is in some of its rows only", "Save rows with the same columns")
		return pa.table([self._cast_column(table.column(field.name), field) for field in schema], schema=schema)

	def _cast_column(self, column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
		try:
			# Times are cut off at the microsecond.
			return column.cast(field.type, safe=not pa.types.is_timestamp(field.type))
		except pa.ArrowInvalid as error:
			raise self._refuse(
				f"column {field.name} has values that are not {field.type}: {error}", "Give it one dtype in all rows"
			) from error

	def _require_keys(self, table: pa.Table) -> None:
		for name in self._key:
			if count := table.column(name).null_count:
				raise self._refuse(
					f"{count:,} of {table.num_rows:,} rows have no {name}, a part of its key", "Fill it or leave the rows out"
				)

	def _refuse(self, problem: str, remedy: str) -> InputError:
		return InputError(self._where, problem, remedy)


def _split(data: Rows | Iterable[Rows]) -> Iterator[pa.Table]:
	if isinstance(data, pd.DataFrame):
		for start in range(0, max(len(data), 1), BATCH_ROWS):
			piece = data.iloc[start : start + BATCH_ROWS]
			yield pa.Table.from_pandas(piece, preserve_index=False)
	elif isinstance(data, pa.RecordBatch):
		yield from _split(pa.Table.from_batches([data]))
	elif isinstance(data, pa.Table):
		for start in range(0, max(data.num_rows, 1), BATCH_ROWS):
			yield data.slice(start, BATCH_ROWS)
	else:
		for rows in data:
			yield from _split(rows)
