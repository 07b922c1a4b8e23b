"""Tables of ours in the embedded warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from loantap.datasets.backends.embedded import DuckDB
from loantap.datasets.backends.interface import Query, quote
from loantap.portfolio.errors import InputError

# What DuckDB may keep in memory; by default it takes most of the machine's. Beyond it goes to disk.
_MEMORY = "1GB"


class WritableDuckDB(DuckDB):
    """An embedded database that tables of ours are written to; the file is made if need be."""

    @contextmanager
    def transaction(self) -> Iterator[DuckDBTransaction]:
        """See `WritableBackend`."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # What is not committed when the connection closes has never been.
        with self._connect(read_only=False) as connection:
            try:
                connection.execute(f"SET memory_limit = '{_MEMORY}'")
                connection.begin()
                yield DuckDBTransaction(connection)
                connection.commit()
            except duckdb.Error as error:
                raise InputError(
                    f"{self._system} ({self._path})",
                    f"writing failed: {str(error).splitlines()[0]}",
                    "Nothing has changed; mend the cause and run again",
                ) from error


class DuckDBTransaction:
    """See `Transaction`."""

    scratch = "TABLE"

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def lock(self, table: str) -> None:
        """See `Transaction`; a process that writes has the file to itself."""

    def execute(self, statement: str) -> int:
        """See `Transaction`."""
        answer = self._connection.execute(statement).fetchone()
        return int(answer[0]) if answer and isinstance(answer[0], int) else 0

    def fetch(self, query: Query) -> list[tuple[Any, ...]]:
        """See `Transaction`."""
        return self._connection.execute(query.text, list(query.parameters)).fetchall()

    def insert(self, table: str, rows: pa.Table) -> None:
        """See `Transaction`."""
        self._connection.register("rows_to_insert", rows)
        names = ", ".join(quote(name) for name in rows.column_names)
        self._connection.execute(
            f"INSERT INTO {quote(table)} ({names}) SELECT * FROM rows_to_insert"  # noqa: S608
        )
        self._connection.unregister("rows_to_insert")
