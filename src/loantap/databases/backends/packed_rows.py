"""Rows of PostgreSQL that cross the driver as one text each, and become columns here.

psqlodbc works as long on a value as on a whole row. PostgreSQL prints a row as `(,12.5,"two words","",)`: CSV but for
parentheses and doubled backslashes. Why, and when to drop it: docs/adr/0017.
"""

import re
from collections.abc import Sequence
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from loantap.databases.backends.interface import MAX_TEXT_BYTES
from loantap.portfolio.errors import InputError

# Bytes of a number, or a time; and of a text of quotes only. Each with a comma.
_VALUE_BYTES = 512
_TEXT_BYTES = 2 * MAX_TEXT_BYTES + 3
# For a value that is too long: it arrives, so that its column can be named.
_HEADROOM_BYTES = 32_768
# How the values of each plain type are parsed. Times come with a zone or without.
_PARSED = MappingProxyType(
	{
		pa.float64(): pa.float64(),
		pa.int64(): pa.int64(),
		pa.bool_(): pa.bool_(),
		pa.string(): pa.string(),
		pa.timestamp("us"): pa.string(),
	}
)
# How a time with a zone ends: the connection's is UTC.
_UTC = "+00"
_REMEDY = "Correct it at the source, or in a view that is read instead"


def pack(statement: str) -> str:
	"""A statement that gives each row of another one as a text.

	Its values stand between two NULLs, so that the parentheses are part of none.
	"""
	return f"SELECT CAST(ROW(NULL, asked.*, NULL) AS text) FROM ({statement}\n) AS asked"  # noqa: S608 (our own)


def find_longest(schema: pa.Schema) -> int:
	"""Bytes of the longest text that a row with these columns can be."""
	sizes = (_TEXT_BYTES if kind == pa.string() else _VALUE_BYTES for kind in schema.types)
	return sum(sizes) + _HEADROOM_BYTES


def unpack(where: str, rows: Sequence[pa.Array], schema: pa.Schema) -> pa.RecordBatch:
	"""The columns, by `schema`, of rows that `pack` made texts; at least one.

	Raises:
		InputError: a text is too long, or a value has no place in the type of its column.
	"""
	lines = _join_lines(pa.concat_arrays(rows))
	texts = _parse(where, lines, schema)
	has_backslash = b"\\" in memoryview(lines).tobytes()
	columns = [
		_complete(where, field, column, has_backslash=has_backslash)
		for field, column in zip(schema, texts.columns, strict=True)
	]
	return pa.Table.from_arrays(columns, schema=schema).combine_chunks().to_batches()[0]


def _join_lines(texts: pa.Array) -> pa.Buffer:
	together = pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), texts)
	return pc.binary_join(together, "\n").buffers()[2]


def _parse(where: str, lines: pa.Buffer, schema: pa.Schema) -> pa.Table:
	"""All columns, named by place: names may be missing, or occur twice."""
	places = [str(place) for place in range(len(schema))]
	try:
		return pa_csv.read_csv(
			pa.BufferReader(lines),
			read_options=pa_csv.ReadOptions(use_threads=False, block_size=lines.size + 1, column_names=["(", *places, ")"]),
			parse_options=pa_csv.ParseOptions(newlines_in_values=True),
			convert_options=pa_csv.ConvertOptions(
				include_columns=places,
				column_types=dict(zip(places, _choose_types(where, schema), strict=True)),
				null_values=[""],
				strings_can_be_null=True,
				quoted_strings_can_be_null=False,
				true_values=["t"],
				false_values=["f"],
			),
		)
	except pa.ArrowInvalid as error:
		# Its words repeat the value.
		place = re.search(r"CSV column #(\d+)", str(error))
		name = f"column {schema.names[int(place[1]) - 1]}" if place else "a column"
		raise InputError(where, f"{name} has a value that does not fit its type", _REMEDY) from None


def _choose_types(where: str, schema: pa.Schema) -> list[pa.DataType]:
	for field in schema:
		if field.type not in _PARSED:
			raise InputError(
				where,
				f"column {field.name} is of type {field.type}, which cannot be read",
				"Leave it out of the query, or cast it there",
			)
	return [_PARSED[kind] for kind in schema.types]


def _complete(where: str, field: pa.Field, column: pa.ChunkedArray, *, has_backslash: bool) -> pa.ChunkedArray:
	"""Do what parsing has not: times, backslashes, the length of texts."""
	if pa.types.is_timestamp(field.type):
		return _to_times(where, field, column)
	if not pa.types.is_string(field.type):
		return column
	if has_backslash:
		column = pc.replace_substring(column, r"\\", "\\")
	longest = pc.max(pc.binary_length(column)).as_py()
	if longest is not None and longest > MAX_TEXT_BYTES:
		raise InputError(
			where,
			f"column {field.name} has a text of {longest:,} bytes; {MAX_TEXT_BYTES:,} are allowed",
			"Shorten it at the source, or in a view that is read instead",
		)
	return column


def _to_times(where: str, field: pa.Field, texts: pa.ChunkedArray) -> pa.ChunkedArray:
	try:
		return pc.replace_substring(texts, _UTC, "").cast(field.type)
	except pa.ArrowInvalid:
		raise InputError(where, f"column {field.name} has a time that is not in the years 1 to 9999", _REMEDY) from None
