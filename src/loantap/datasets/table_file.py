"""Files of rows that may be larger than memory: read in batches, written in batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset

from loantap.datasets.staged import StagedDataset
from loantap.project.journal import Rename
from loantap.tables.files import (
    BATCH_ROWS,
    TableFile,
    TableParts,
    TableWriter,
    list_parts,
    open_parquet,
)


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

    Args:
        dataset: configuration of a `pandas.ParquetDataset`.
        in_batches: whether it loads as `TableParts`, to be read batch by batch, or as a frame.
        metadata: for Kedro-Viz and the documentation.
    """

    def __init__(
        self,
        *,
        dataset: dict[str, Any],
        in_batches: bool = False,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(dataset=dataset, metadata=metadata)
        self._in_batches = in_batches
        self._writer: TableWriter | None = None

    def save(self, data: Any) -> None:
        """Append a batch to the staged file; the first of a run begins it."""
        try:
            with self._file.writing() as path:
                if self._writer is None:
                    self._writer = TableWriter(path, data)
                self._writer.write(data)
        except BaseException:
            self._close()
            raise

    def load(self) -> Any:
        """Load what this run saved, or else the last good output."""
        self._close()
        return TableParts(self.current) if self._in_batches else super().load()

    def tally(self, columns: list[str]) -> pd.DataFrame:
        """How many rows hold each combination of values: `columns`, then `rows`.

        Rows are counted batch by batch.
        """
        self._close()
        counts = [
            batch.to_pandas().astype("str").value_counts()
            for part in list_parts(self.current)
            for batch in open_parquet(part).iter_batches(BATCH_ROWS, columns=columns)
        ]
        if not counts:
            return pd.DataFrame(columns=[*columns, "rows"])
        table: pd.DataFrame = pd.concat(counts).groupby(columns).sum().reset_index(name="rows")
        return table

    def renames(self) -> list[Rename]:
        """See `FilePublishable`."""
        self._close()
        return super().renames()

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
