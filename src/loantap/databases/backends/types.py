"""The few types in which every source gives its columns, whatever its driver makes of them."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

_INSTANT = pa.timestamp("us")


def plain_schema(schema: pa.Schema) -> pa.Schema:
  """The columns as `Backend.read` gives them: float64, int64, string, timestamp[us] in UTC.

  Fractions of any width and decimals become float64: some drivers give doubles as float32.
  """
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
  """The batches in the plain types of their schema; times with a zone are put into UTC.

  Their month is decided in `portfolio.values`.
  """
  plain = plain_schema(schema)
  for batch in batches:
    yield batch if batch.schema == plain else batch.cast(plain)
