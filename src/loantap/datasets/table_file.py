"""Files of rows that may be larger than memory: read in batches, written in batches."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.io import AbstractDataset

from loantap.datasets.staged import StagedDataset

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

    Raises:
        pyarrow.ArrowInvalid: a Parquet file that is none.
    """

    def __init__(self, path: Path, batch_rows: int = BATCH_ROWS) -> None:
        self._path = path
        self._batch_rows = batch_rows
        self._parquet = None if path.suffix.lower() == ".csv" else _open_parquet(path)

    def read(self, columns: Collection[str]) -> Iterator[pd.DataFrame]:
        """Those of the columns that the file has, in batches; one without rows of an empty file."""
        rows, started = 0, time.perf_counter()
        total = self._parquet.metadata.num_rows if self._parquet else None
        for batch in self._read(columns):
            yield batch
            # Here the batch has been dealt with.
            rows += len(batch)
            progress.info(
                "%s rows, %s a second",
                f"{rows:,}",
                f"{rows / (time.perf_counter() - started):,.0f}",
                extra={"done": rows, "total": total},
            )

    def _read(self, columns: Collection[str]) -> Iterator[pd.DataFrame]:
        if self._parquet:
            return _read_parquet(self._parquet, columns, self._batch_rows)
        return _read_csv(self._path, columns, self._batch_rows)


def _read_parquet(
    file: pq.ParquetFile, columns: Collection[str], rows: int
) -> Iterator[pd.DataFrame]:
    present = [name for name in file.schema_arrow.names if name in columns]
    # Whole numbers stay whole where some are missing.
    types = {pa.int64(): pd.Int64Dtype()}
    if not file.metadata.num_rows:
        yield file.schema_arrow.empty_table().select(present).to_pandas(types_mapper=types.get)
    for batch in file.iter_batches(rows, columns=present):
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


class TableFileDataset(AbstractDataset[None, TableFile]):
    """A CSV or Parquet file for reading in batches.

    Args:
        filepath: the file.
        metadata: for Kedro-Viz and the documentation.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = Path(filepath)
        self.metadata = metadata

    def load(self) -> TableFile:
        """The file, opened; its rows are read as they are asked for."""
        return TableFile(self._path)

    def save(self, data: None) -> None:
        """Refused: it is somebody else's file."""
        raise NotImplementedError(f"{self._path} is only read")

    def _exists(self) -> bool:
        return self._path.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}


class BatchedDataset(StagedDataset):
    """A Parquet table that a generator node saves batch by batch, staged like any other.

    Every batch becomes a row group. Categories are written as the texts they stand for, told apart
    as they come, and read back as text.
    """

    _writer: pq.ParquetWriter | None = None

    def save(self, data: pd.DataFrame) -> None:
        """Append a batch to the staged file; the first of a run begins it."""
        try:
            with self._file.writing() as path:
                table = _to_arrow(data)
                if self._writer is None:
                    self._writer = _open_writer(path, data, table.schema)
                self._writer.write_table(table)
        except BaseException:
            self._close()
            raise

    def load(self) -> Any:
        """Load what this run saved, or else the last good output."""
        self._close()
        return super().load()

    def tally(self, columns: list[str]) -> pd.DataFrame:
        """How many rows hold each combination of values: `columns`, then `rows`.

        Rows are counted batch by batch.
        """
        self._close()
        file = _open_parquet(self.current)
        counts = [
            batch.to_pandas().astype("str").value_counts()
            for batch in file.iter_batches(BATCH_ROWS, columns=columns)
        ]
        if not counts:
            return pd.DataFrame(columns=[*columns, "rows"])
        table: pd.DataFrame = pd.concat(counts).groupby(columns).sum().reset_index(name="rows")
        return table

    def publish(self) -> None:
        """See `Publishable`."""
        self._close()
        super().publish()

    def discard(self) -> None:
        """See `Publishable`."""
        self._close()
        super().discard()

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _open_parquet(path: Path) -> pq.ParquetFile:
    """The file, its texts to be told apart as they are read: each is then looked at once."""
    schema = pq.read_schema(path)
    texts = [
        f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)
    ]
    # Read through small buffers: otherwise a row group's columns are loaded whole, however large it
    # is, and, buffered ahead, stay in memory until the end of the file.
    return pq.ParquetFile(path, read_dictionary=texts, pre_buffer=False, buffer_size=_BUFFER_BYTES)


def _open_writer(path: Path, batch: pd.DataFrame, schema: pa.Schema) -> pq.ParquetWriter:
    texts = _categorical(batch)
    writer = pq.ParquetWriter(
        path,
        schema,
        use_dictionary=texts,
        dictionary_pagesize_limit=_DICTIONARY_BYTES,
        write_statistics=[name for name in batch.columns if name not in texts],
        store_schema=False,
    )
    # Readers are told the types of the frame, so that whole numbers stay whole and texts text.
    plain = pa.Schema.from_pandas(batch.head(0).astype(dict.fromkeys(texts, "str")))
    writer.add_key_value_metadata({"pandas": plain.metadata[b"pandas"]})
    return writer


def _to_arrow(batch: pd.DataFrame) -> pa.Table:
    return pa.table({name: _to_array(column) for name, column in batch.items()})


def _to_array(column: pd.Series) -> pa.Array:
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return pa.Array.from_pandas(column)
    # One type of code for all batches, however many categories each has.
    codes = pa.array(column.cat.codes.to_numpy("int32"))
    return pa.DictionaryArray.from_arrays(codes, pa.array(column.cat.categories, pa.large_string()))


def _categorical(batch: pd.DataFrame) -> list[str]:
    return batch.columns[batch.dtypes == "category"].to_list()
