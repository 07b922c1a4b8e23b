"""A table of a source system, the same whichever system holds it."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import Any

import pandas as pd
import pyarrow as pa
from kedro.io import AbstractDataset

from loantap.datasets.backends import EMBEDDED, STAGED, Backend, make_backend


class SourceTableDataset(
    AbstractDataset[pd.DataFrame | Iterable[pd.DataFrame], pa.RecordBatchReader]
):
    """Reads a table by a query kept as package data; writes it when the database is embedded.

    A source, which has a query, is replaced as it is saved. A table without a query is an output:
    it is written beside the last good one and takes its place when the run has succeeded.

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
        self._staged = f"{table}{STAGED}"
        self._is_staged = False
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
        self._backend().write(self._table if self._query else self._staged, frames)
        self._is_staged = self._query is None

    def publish(self) -> None:
        """See `Publishable`."""
        if self._is_staged:
            self._backend().rename(self._staged, self._table)
            self._is_staged = False

    def discard(self) -> None:
        """See `Publishable`."""
        if self._is_staged:
            self._backend().drop(self._staged)
            self._is_staged = False

    def _backend(self) -> Backend:
        return make_backend(self._system, self._credentials)

    def _sql(self) -> str:
        if self._query is None:
            table = self._staged if self._is_staged else self._table
            return f'SELECT * FROM "{table}"'  # noqa: S608 (a name out of our own catalog)
        package, _, name = self._query.partition(":")
        return files(package).joinpath(name).read_text(encoding="utf-8")

    def _exists(self) -> bool:
        return self._backend().has_table(self._table)

    def _describe(self) -> dict[str, Any]:
        # Credentials are left out: this text goes to logs.
        return {"system": self._system, "table": self._table, "query": self._query}
