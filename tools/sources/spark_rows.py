"""Rows as Spark's Thrift Server sends them, by columns, turned into Arrow."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
from databricks.sql.thrift_api.TCLIService import ttypes as thrift

_VALUES: Final = ("boolVal", "byteVal", "i16Val", "i32Val", "i64Val", "doubleVal", "stringVal", "binaryVal")
_TYPES: Final = {
	thrift.TTypeId.BOOLEAN_TYPE: pa.bool_(),
	thrift.TTypeId.TINYINT_TYPE: pa.int8(),
	thrift.TTypeId.SMALLINT_TYPE: pa.int16(),
	thrift.TTypeId.INT_TYPE: pa.int32(),
	thrift.TTypeId.BIGINT_TYPE: pa.int64(),
	thrift.TTypeId.FLOAT_TYPE: pa.float32(),
	thrift.TTypeId.DOUBLE_TYPE: pa.float64(),
	thrift.TTypeId.STRING_TYPE: pa.string(),
	thrift.TTypeId.VARCHAR_TYPE: pa.string(),
	thrift.TTypeId.CHAR_TYPE: pa.string(),
	thrift.TTypeId.TIMESTAMP_TYPE: pa.timestamp("us", "Etc/UTC"),
	thrift.TTypeId.DATE_TYPE: pa.date32(),
	thrift.TTypeId.BINARY_TYPE: pa.binary(),
}


def arrow_schema(schema: Any) -> pa.Schema:
	"""Columns of a result."""
	entries = [column.typeDesc.types[0].primitiveEntry for column in schema.columns]
	return pa.schema(
		[(column.columnName, _arrow_type(entry)) for column, entry in zip(schema.columns, entries, strict=True)]
	)


def _arrow_type(entry: Any) -> pa.DataType:
	if entry.type == thrift.TTypeId.DECIMAL_TYPE:
		qualifiers = entry.typeQualifiers.qualifiers
		return pa.decimal128(qualifiers["precision"].i32Value, qualifiers["scale"].i32Value)
	return _TYPES[entry.type]


def to_array(column: Any, kind: pa.DataType) -> pa.Array:
	"""A column of Spark's, whose times and decimals are texts, as Arrow has it."""
	values = next(filter(None, (getattr(column, name) for name in _VALUES)))
	count = len(values.values)
	bits = np.unpackbits(np.frombuffer(values.nulls, dtype=np.uint8), bitorder="little")
	mask = np.zeros(count, dtype=bool)
	mask[: min(count, len(bits))] = bits[:count]
	if values.values and isinstance(values.values[0], str):
		return pa.array(values.values, pa.string(), mask=mask).cast(_naive(kind)).cast(kind)
	return pa.array(values.values, mask=mask).cast(kind)


def _naive(kind: pa.DataType) -> pa.DataType:
	"""Times arrive as texts in the session's zone, UTC, without naming it."""
	return pa.timestamp(kind.unit) if pa.types.is_timestamp(kind) else kind
