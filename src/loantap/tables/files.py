"""Files of rows that may be larger than memory: read in batches, written in batches."""

import logging
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import FAULT
from loantap.tables.column_maps.column_map import ColumnMap
from loantap.tables.column_maps.mapped_rows import MappedRows, expect_columns
from loantap.tables.columns import LOANTAP, Expected
from loantap.tables.csv_file import CsvRows
from loantap.tables.parquet_file import ParquetRows
from loantap.tables.progress import Progress
from loantap.tables.rows import RowsFunction

logger = logging.getLogger(__name__)

PARQUET_SUFFIXES = (".parquet", ".pq", ".parq")
# Large enough for few distinct texts per row, small enough for memory.
BATCH_ROWS = 262_144
# Of tables that are scanned for their numbers, where fewer cost nothing.
SCAN_ROWS = 65_536
# Reasons number some ten thousand in a batch, beyond the default.
_DICTIONARY_BYTES = 1 << 26
_BUFFER_BYTES = 1 << 20


class TableFile:
	"""A CSV or Parquet file of any size, of which only the columns asked for are read.

	Names are the dictionary's, however the file spells them. Values of a CSV, and ids, are text. `row_groups`: those of
	a Parquet file to be read.

	Raises:
		InputError: it cannot be read, a column is there twice, or a mapped one is not.
	"""

	def __init__(
		self,
		path: Path,
		batch_rows: int = BATCH_ROWS,
		row_groups: Sequence[int] | None = None,
		column_map: ColumnMap | None = None,
	) -> None:
		self.path = path
		self._batch_rows = batch_rows
		raw = open_rows(path, expect_columns(column_map) if column_map else LOANTAP, row_groups)
		self._rows = MappedRows(raw, column_map, say_path(path)) if column_map else raw

	@property
	def columns(self) -> list[str]:
		"""Names of its columns."""
		return list(self._rows.names)

	@property
	def notes(self) -> list[str]:
		"""What was done so far to read it that its writer should know."""
		numbers = self._rows.numbers.done.items()
		return [*self._rows.notes, *(f"{done} in {', '.join(names)}" for done, names in numbers)]

	@property
	def has_rows(self) -> bool:
		"""Whether it has any."""
		return self._rows.has_rows

	def require_rows(self) -> None:
		"""Refuse a file without rows; raises InputError."""
		if not self.has_rows:
			raise InputError(say_path(self.path), "it has a header and no rows", "Give a file with rows in it")

	def map(self, function: RowsFunction, columns: Collection[str]) -> Iterator[pd.DataFrame]:
		"""What the function makes of each batch, row numbers running on; see `Rows`."""
		first_row = 0
		for batch in self.read(columns):
			yield function(batch, first_row)
			first_row += len(batch)

	def read(self, columns: Collection[str]) -> Iterator[pd.DataFrame]:
		"""Those of the columns that the file has, in batches; one without rows of an empty file.

		A CSV gives `FAULT` as well: what keeps a row from being read, which then has no values.

		Raises:
			InputError: the file is damaged or ambiguous.
		"""
		rows, progress = 0, Progress("", self._rows.count, "rows")
		for table in self._read(columns):
			yield _to_pandas(table)
			# Here the batch has been dealt with.
			rows += len(table)
			progress.tell(rows)

	def read_plain(self, columns: Collection[str]) -> Iterator[pd.DataFrame]:
		"""The same; texts are texts, where `read` tells those of some files apart."""
		yield from (frame.astype(dict.fromkeys(_find_told_apart(frame), "str")) for frame in self.read(columns))

	def to_frame(self) -> pd.DataFrame:
		"""All of its rows and columns at once; `FAULT` where there is one. See `read`."""
		tables = [_undo_dictionaries(table) for table in self._read(self.columns)]
		frame = _to_pandas(pa.concat_tables(tables))
		has_faults = FAULT in frame and frame[FAULT].notna().any()
		return frame if has_faults else frame.drop(columns=FAULT, errors="ignore")

	def _read(self, columns: Collection[str]) -> Iterator[pa.Table]:
		yield from self._rows.read({*columns, FAULT}, self._batch_rows)
		if self.notes:
			logger.info("%s: %s", say_path(self.path), "; ".join(self.notes))


class TableParts:
	"""A Parquet table in one file, or in the parts of a folder, read batch by batch."""

	def __init__(self, path: Path) -> None:
		self.path = path

	def __len__(self) -> int:
		return sum(pq.read_metadata(part).num_rows for part in list_parts(self.path))

	def scan(self, columns: Collection[str] | None = None) -> pa.RecordBatchReader:
		"""See `LongTable`."""
		parts = list_parts(self.path)
		schema = pq.read_schema(parts[0])
		names = [name for name in schema.names if columns is None or name in columns]
		kept = pa.schema([schema.field(name) for name in names], schema.metadata)
		return pa.RecordBatchReader.from_batches(kept, _scan(parts, kept))

	def read(self, columns: Collection[str]) -> Iterator[pd.DataFrame]:
		"""Those of the columns that the table has, in batches."""
		for part in list_parts(self.path):
			yield from TableFile(part).read(columns)


class TableWriter:
	"""Writes batches to a Parquet file, each as a row group; categories as their texts.

	The first batch says what the columns are; it is not written.
	"""

	def __init__(self, path: Path, first: pd.DataFrame) -> None:
		texts = _find_told_apart(first)
		self._writer = pq.ParquetWriter(
			path,
			_to_arrow(first).schema,
			use_dictionary=texts,
			dictionary_pagesize_limit=_DICTIONARY_BYTES,
			write_statistics=[name for name in first.columns if name not in texts],
			store_schema=False,
		)
		# Readers learn the types of the frame.
		plain = pa.Schema.from_pandas(first.head(0).astype(dict.fromkeys(texts, "str")))
		self._writer.add_key_value_metadata({"pandas": plain.metadata[b"pandas"]})

	def write(self, batch: pd.DataFrame) -> None:
		"""Append a batch; raises ValueError when its columns are not those of the first."""
		self._writer.write_table(_to_arrow(batch))

	def close(self) -> None:
		"""Complete the file."""
		self._writer.close()


class CsvWriter:
	"""Writes batches to a CSV file, in UTF-8 with a header."""

	def __init__(self, path: Path) -> None:
		self._file = path.open("w", encoding="utf-8", newline="")
		self._has_header = False

	def write(self, batch: pd.DataFrame) -> None:
		"""Append a batch."""
		batch.to_csv(self._file, index=False, header=not self._has_header)
		self._has_header = True

	def close(self) -> None:
		"""Complete the file."""
		self._file.close()


def open_rows(path: Path, expected: Expected, row_groups: Sequence[int] | None = None) -> CsvRows | ParquetRows:
	"""The rows of a file by its own names."""
	where = say_path(path)
	if is_parquet(path):
		return ParquetRows(path, where, row_groups, expected)
	return CsvRows(path, where, expected, unpacks=True)


def is_parquet(path: Path) -> bool:
	"""Whether a file is Parquet, by its name."""
	return path.suffix.lower() in PARQUET_SUFFIXES


def say_path(path: Path) -> str:
	"""A file for a message, by its path from here where that is shorter."""
	return min(str(path), os.path.relpath(path), key=len)


def list_parts(path: Path) -> list[Path]:
	"""The files a table is in, in its order: one, or the parts in a folder."""
	return sorted(path.glob("*.parquet")) if path.is_dir() else [path]


def _scan(parts: Sequence[Path], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
	for part in parts:
		with pq.ParquetFile(part, pre_buffer=False, buffer_size=_BUFFER_BYTES) as file:
			for batch in file.iter_batches(SCAN_ROWS, columns=schema.names):
				yield batch.cast(schema)


def _to_pandas(table: pa.Table) -> pd.DataFrame:
	# Whole numbers stay whole where some are missing.
	types = {pa.int64(): pd.Int64Dtype()}
	frame: pd.DataFrame = table.to_pandas(types_mapper=types.get, ignore_metadata=True)
	return frame


def _find_told_apart(frame: pd.DataFrame) -> list[str]:
	return frame.columns[frame.dtypes == "category"].to_list()


def _undo_dictionaries(table: pa.Table) -> pa.Table:
	"""Texts told apart differ from batch to batch."""
	fields = [
		field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field for field in table.schema
	]
	return table.cast(pa.schema(fields))


def _to_arrow(batch: pd.DataFrame) -> pa.Table:
	return pa.table({name: _to_array(column) for name, column in batch.items()})


def _to_array(column: pd.Series) -> pa.Array:
	if not isinstance(column.dtype, pd.CategoricalDtype):
		return pa.Array.from_pandas(column)
	# For all batches, however many categories each has.
	codes = pa.array(column.cat.codes.to_numpy("int32"))
	return pa.DictionaryArray.from_arrays(codes, pa.array(column.cat.categories, pa.large_string()))
