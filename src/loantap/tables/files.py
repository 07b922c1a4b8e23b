"""Files of rows that may be larger than memory: read in batches, written in batches."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from loantap.tables.rows import RowsFunction

# Large enough for a reason's distinct texts to be few beside the rows, small enough for memory.
BATCH_ROWS = 262_144
# Reasons number some ten thousand in a batch; beyond the default they would be written one by one.
_DICTIONARY_BYTES = 1 << 26
_BUFFER_BYTES = 1 << 20

# Who shows progress listens here; each record has `done` and `total`, counted in rows.
progress = logging.getLogger("loantap.progress")


class TableFile:
    """A CSV or Parquet file, of which only the columns asked for are read, batch by batch.

    Values of a CSV are text.

    Args:
        path: the file.
        batch_rows: rows in memory at a time.
        row_groups: those of a Parquet file that are read; all when absent.

    Raises:
        pyarrow.ArrowInvalid: a Parquet file that is none.
    """

    def __init__(
        self,
        path: Path,
        batch_rows: int = BATCH_ROWS,
        row_groups: Sequence[int] | None = None,
    ) -> None:
        self.path = path
        self._batch_rows = batch_rows
        self._row_groups = row_groups
        self._parquet = None if is_csv(path) else open_parquet(path)

    @property
    def columns(self) -> list[str]:
        """Names of its columns."""
        return list_columns(self.path)

    def map(self, function: RowsFunction, columns: Collection[str]) -> Iterator[pd.DataFrame]:
        """What the function makes of each batch, row numbers running on; see `Rows`."""
        first_row = 0
        for batch in self.read(columns):
            yield function(batch, first_row)
            first_row += len(batch)

    def read(self, columns: Collection[str]) -> Iterator[pd.DataFrame]:
        """Those of the columns that the file has, in batches; one without rows of an empty file."""
        rows, started = 0, time.perf_counter()
        total = self._parquet.metadata.num_rows if self._parquet else None
        for batch in self._read(columns):
            yield batch
            # Here the batch has been dealt with.
            rows += len(batch)
            tell_progress(rows, total, started)

    def _read(self, columns: Collection[str]) -> Iterator[pd.DataFrame]:
        if self._parquet:
            return _read_parquet(self._parquet, columns, self._batch_rows, self._row_groups)
        return _read_csv(self.path, columns, self._batch_rows)


class TableParts:
    """A Parquet table in one file, or in the parts of a folder, read batch by batch.

    Args:
        path: the file or folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, columns: Collection[str]) -> Iterator[pd.DataFrame]:
        """Those of the columns that the table has, in batches."""
        for part in list_parts(self.path):
            yield from TableFile(part).read(columns)


class TableWriter:
    """Writes batches to a Parquet file, each as a row group.

    Categories are written as the texts they stand for, told apart as they come, and read back as
    text.

    Args:
        path: the file.
        first: the first batch, which says what the columns are; it is not written.
    """

    def __init__(self, path: Path, first: pd.DataFrame) -> None:
        texts = first.columns[first.dtypes == "category"].to_list()
        self._writer = pq.ParquetWriter(
            path,
            _to_arrow(first).schema,
            use_dictionary=texts,
            dictionary_pagesize_limit=_DICTIONARY_BYTES,
            write_statistics=[name for name in first.columns if name not in texts],
            store_schema=False,
        )
        # Readers are told the types of the frame, so that whole numbers stay whole and texts text.
        plain = pa.Schema.from_pandas(first.head(0).astype(dict.fromkeys(texts, "str")))
        self._writer.add_key_value_metadata({"pandas": plain.metadata[b"pandas"]})

    def write(self, batch: pd.DataFrame) -> None:
        """Append a batch; raises ValueError when its columns are not those of the first."""
        self._writer.write_table(_to_arrow(batch))

    def close(self) -> None:
        """Complete the file."""
        self._writer.close()


def is_csv(path: Path) -> bool:
    """Whether the name says that a file is a CSV."""
    return path.suffix.lower() == ".csv"


def list_columns(path: Path) -> list[str]:
    """Names of the columns of a CSV or Parquet file."""
    return (
        pd.read_csv(path, nrows=0).columns.to_list() if is_csv(path) else pq.read_schema(path).names
    )


def list_parts(path: Path) -> list[Path]:
    """The files a table is in, in its order: one, or the parts in a folder."""
    return sorted(path.glob("*.parquet")) if path.is_dir() else [path]


def open_parquet(path: Path) -> pq.ParquetFile:
    """The file, its texts to be told apart as they are read: each is then looked at once."""
    schema = pq.read_schema(path)
    texts = [
        f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)
    ]
    # Read through small buffers: otherwise a row group's columns are loaded whole, however large it
    # is, and, buffered ahead, stay in memory until the end of the file.
    return pq.ParquetFile(path, read_dictionary=texts, pre_buffer=False, buffer_size=_BUFFER_BYTES)


def tell_progress(rows: int, total: int | None, started: float) -> None:
    """Tell how many rows are done since `started`, on the clock of `time.perf_counter`."""
    progress.info(
        "%s rows, %s a second",
        f"{rows:,}",
        f"{rows / (time.perf_counter() - started):,.0f}",
        extra={"done": rows, "total": total},
    )


def _read_parquet(
    file: pq.ParquetFile, columns: Collection[str], rows: int, row_groups: Sequence[int] | None
) -> Iterator[pd.DataFrame]:
    present = [name for name in file.schema_arrow.names if name in columns]
    # Whole numbers stay whole where some are missing.
    types = {pa.int64(): pd.Int64Dtype()}
    groups = range(file.metadata.num_row_groups) if row_groups is None else row_groups
    if not sum(file.metadata.row_group(group).num_rows for group in groups):
        yield file.schema_arrow.empty_table().select(present).to_pandas(types_mapper=types.get)
        return
    for batch in file.iter_batches(rows, row_groups=list(groups), columns=present):
        yield batch.to_pandas(types_mapper=types.get)


def _read_csv(path: Path, columns: Collection[str], rows: int) -> Iterator[pd.DataFrame]:
    # "None" is text in this data, not a missing value.
    with pd.read_csv(
        path,
        dtype="str",
        keep_default_na=False,
        na_values=[""],
        usecols=lambda name: name in columns,
        chunksize=rows,
    ) as reader:
        yield from reader


def _to_arrow(batch: pd.DataFrame) -> pa.Table:
    return pa.table({name: _to_array(column) for name, column in batch.items()})


def _to_array(column: pd.Series) -> pa.Array:
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return pa.Array.from_pandas(column)
    # One type of code for all batches, however many categories each has.
    codes = pa.array(column.cat.codes.to_numpy("int32"))
    return pa.DictionaryArray.from_arrays(codes, pa.array(column.cat.categories, pa.large_string()))
