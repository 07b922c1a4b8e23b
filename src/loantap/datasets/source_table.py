"""A table of a source system, the same whichever system holds it."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import Any

import pandas as pd
import pyarrow as pa
from kedro.io import AbstractDataset

from loantap.datasets.backends import EMBEDDED, Backend, make_backend


class SourceTableDataset(
    AbstractDataset[pd.DataFrame | Iterable[pd.DataFrame], pa.RecordBatchReader]
):
    """Reads a table by a query kept as package data; writes it when the database is embedded.

    Args:
        system: name of the source system, for messages.
        table: name of the table.
        query: `package:file.sql`, the extraction query; all columns when absent.
        credentials: what `loantap.datasets.backends.make_backend` takes.
        batch_rows: rows held in memory at a time.
        metadata: for Kedro-Viz and the documentation.
    """

    def __init__(
        self,
        *,
        system: str,
        table: str,
        credentials: dict[str, Any],
        query: str | None = None,
        batch_rows: int = 65_536,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._system = system
        self._table = table
        self._query = query
        self._credentials = credentials
        self._batch_rows = batch_rows
        self.metadata = metadata

    @property
    def is_embedded(self) -> bool:
        """Whether the database is a file of ours rather than a real system."""
        return self._credentials.get("backend") == EMBEDDED

    @property
    def system(self) -> str:
        """Name of the source system."""
        return self._system

    def load(self) -> pa.RecordBatchReader:
        """Batches of the query's rows, read as they are asked for."""
        return self._backend().read(self._sql(), self._batch_rows)

    def save(self, data: pd.DataFrame | Iterable[pd.DataFrame]) -> None:
        """Replace the table in one transaction, from one frame or several."""
        frames = [data] if isinstance(data, pd.DataFrame) else data
        self._backend().write(self._table, frames)

    def _backend(self) -> Backend:
        return make_backend(self._system, self._credentials)

    def _sql(self) -> str:
        if self._query is None:
            return f'SELECT * FROM "{self._table}"'  # noqa: S608 (a name out of our own catalog)
        package, _, name = self._query.partition(":")
        return files(package).joinpath(name).read_text(encoding="utf-8")

    def _exists(self) -> bool:
        return self._backend().has_table(self._table)

    def _describe(self) -> dict[str, Any]:
        # Credentials are left out: this text goes to logs.
        return {"system": self._system, "table": self._table, "query": self._query}
