"""A source's rows as extracted, in one Parquet file."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.io import AbstractDataset

from loantap.datasets.staged import StagedFile


class SnapshotDataset(AbstractDataset[pa.RecordBatchReader, pd.DataFrame]):
    """Writes Arrow batches to Parquet as they arrive, so memory does not grow with the table.

    Staged like `StagedDataset`. Loads as a frame.

    Args:
        filepath: the Parquet file.
        metadata: for Kedro-Viz and the documentation.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._file = StagedFile(filepath)
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """The rows, typed as in the source."""
        return pd.read_parquet(self._file.current)

    def save(self, data: pa.RecordBatchReader) -> None:
        """Write all batches to the staging name."""
        with self._file.writing() as path, pq.ParquetWriter(path, data.schema) as writer:
            for batch in data:
                writer.write_batch(batch)

    def publish(self) -> None:
        """See `Publishable`."""
        self._file.publish()

    def discard(self) -> None:
        """See `Publishable`."""
        self._file.discard()

    def _exists(self) -> bool:
        return self._file.current.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._file.path)}
