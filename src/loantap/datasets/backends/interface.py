"""What every source database offers, whatever driver reaches it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from loantap.portfolio.errors import InputError

# Rows in memory at a time: large enough for speed, small enough for any machine.
BATCH_ROWS = 65_536


class SourceDownError(InputError):
    """A system that does not answer now but may in a moment: worth another attempt."""


@dataclass(frozen=True, slots=True)
class Query:
    """A statement in the SQL that all systems share.

    Attributes:
        text: the statement, with a `?` for each parameter.
        parameters: what the `?` stand for, as text; the statement casts them.
    """

    text: str
    parameters: tuple[str, ...] = ()


class Backend(Protocol):
    """A database that can be read. Nothing connects before a method is called."""

    def read(self, query: Query, batch_rows: int = BATCH_ROWS) -> pa.RecordBatchReader:
        """Run a query in one statement, hence on one state of the data.

        Batches are read as they are asked for, and the connection is closed with the last one or
        with the reader. Numbers are float64 or int64, texts `string`, times `timestamp[us]`
        without a zone, in UTC.

        Raises:
            SourceDownError: the system does not answer, or the connection broke; from here or
                while the batches are read.
            InputError: it refuses the login, the table, the column or the statement.
        """

    def describe(self, table: str) -> pa.Schema:
        """Names and types of all columns that a table has, without reading rows.

        Raises:
            SourceDownError, InputError: as `read`.
        """


class WritableBackend(Backend, Protocol):
    """A database that tables of ours can be written to."""

    def insert(self, table: str, batches: pa.RecordBatchReader) -> None:
        """Append rows to a table in bulk, in one transaction.

        Raises:
            SourceDownError, InputError: as `read`; the table is as it was.
        """

    def execute(self, statements: Iterable[str]) -> None:
        """Run statements in one transaction: all of them, or none.

        Raises:
            SourceDownError, InputError: as `read`; nothing has changed.
        """
