"""A Parquet file of somebody else, read by its own schema and not by what pandas noted in it."""

import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from loantap.portfolio.errors import InputError
from loantap.tables.columns import APPLICATION_ID, NUMBERS, RENAMED, Expected, recognise
from loantap.tables.text_bytes import open_file
from loantap.tables.written_numbers import WrittenNumbers, undo_dictionary

_MAGIC = b"PAR1"
_BUFFER_BYTES = 1 << 20
_UUID_BYTES = 16


class ParquetRows:
	"""Its columns and rows, or those of some `row_groups`; see `CsvRows`.

	Raises:
		InputError: it is no Parquet file, is cut, or has a column twice.
	"""

	def __init__(self, path: Path, where: str, row_groups: Sequence[int] | None, expected: Expected) -> None:
		_require_parquet(path, where)
		with _reading(where):
			self._file = open_parquet(path)
		self._where = where
		self._written = self._file.schema_arrow.names
		self.names = recognise(self._written, where, expected)
		self.numbers = WrittenNumbers(where, expected)
		groups = range(self._file.num_row_groups) if row_groups is None else row_groups
		self._groups = list(groups)
		# Of all that is in the file: the other row groups may be read elsewhere.
		self.count: int | None = self._file.metadata.num_rows
		self.has_rows = bool(self.count)
		self.notes = [RENAMED] if self.names != tuple(self._written) else []

	def read(self, columns: Collection[str], batch_rows: int) -> Iterator[pa.Table]:
		"""Those of the columns that it has, in batches; one without rows where it has none."""
		wanted = {
			written: name
			for written, name in zip(self._written, self.names, strict=True)
			# A column that is there twice is nobody's.
			if name in columns and self._written.count(written) == 1
		}
		schema = self._file.schema_arrow
		if not sum(self._file.metadata.row_group(group).num_rows for group in self._groups):
			yield self._convert(schema.empty_table().select(list(wanted)), wanted)
			return
		with _reading(self._where):
			for batch in self._file.iter_batches(batch_rows, row_groups=self._groups, columns=list(wanted)):
				yield self._convert(pa.table(batch), wanted)

	def _convert(self, table: pa.Table, wanted: dict[str, str]) -> pa.Table:
		named = {wanted[written]: table[written] for written in table.column_names}
		columns = {name: _convert(column, name, self._where) for name, column in named.items()}
		return self.numbers.make_plain(pa.table(columns))


def open_parquet(path: Path) -> pq.ParquetFile:
	"""The file, its texts to be told apart as they are read: each is then looked at once."""
	schema = pq.read_schema(path)
	texts = [f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
	# Through small buffers: otherwise a row group's columns are loaded whole and, buffered ahead,
	# stay in memory until the end of the file.
	return pq.ParquetFile(path, read_dictionary=texts, pre_buffer=False, buffer_size=_BUFFER_BYTES)


def _require_parquet(path: Path, where: str) -> None:
	with open_file(path, where) as file:
		begins = file.read(len(_MAGIC)) == _MAGIC
		file.seek(-min(path.stat().st_size, len(_MAGIC)), 2)
		finishes = file.read() == _MAGIC
	if not begins:
		raise InputError(
			where, "its name says Parquet, and its content is not", "Give it the ending that fits its content, such as .csv"
		)
	if not finishes:
		raise InputError(where, "it is a Parquet file whose end is missing", "Copy or write it again")


@contextmanager
def _reading(where: str) -> Iterator[None]:
	"""What Arrow has against a file, as an InputError."""
	try:
		yield
	except (pa.ArrowException, OSError) as error:
		raise InputError(where, f"it is damaged ({str(error).splitlines()[0]})", "Copy or write it again") from error


def _convert(column: pa.ChunkedArray, name: str, where: str) -> pa.ChunkedArray:
	"""Ids as text; numbers and texts in types that have one reading."""
	if name == APPLICATION_ID or name in NUMBERS:
		column = undo_dictionary(column)
	if name == APPLICATION_ID:
		return _as_text(column)
	if pa.types.is_decimal(column.type):
		return column.cast(pa.float64())
	if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
		try:
			return column.cast(pa.large_string())
		except pa.ArrowInvalid as error:
			raise InputError(f"{where}, column {name}", "it holds bytes that are no text", "Write it as text") from error
	return column


def _as_text(ids: pa.ChunkedArray) -> pa.ChunkedArray:
	kind = ids.type
	if pa.types.is_string(kind) or pa.types.is_large_string(kind):
		return ids
	if pa.types.is_integer(kind):
		return ids.cast(pa.string())
	# NaN is a missing id too.
	texts = [_say_id(v) if v is not None and v == v else None for v in ids.to_pylist()]  # noqa: PLR0124
	return pa.chunked_array([pa.array(texts, pa.string())])


def _say_id(value: object) -> str:
	"""One id of a rare type: whole numbers without decimals, bytes as text or as a UUID."""
	if isinstance(value, float | Decimal):
		return f"{int(value):d}" if value == value // 1 else str(value)
	if isinstance(value, bytes):
		try:
			text = value.decode()
		except UnicodeDecodeError:
			text = ""
		if text.isprintable() and text:
			return text
		return str(uuid.UUID(bytes=value)) if len(value) == _UUID_BYTES else value.hex()
	return str(value)
