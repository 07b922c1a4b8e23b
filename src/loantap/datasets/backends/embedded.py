"""How a source database is reached; which way is chosen by its credentials.

Drivers are imported when they are used, so that nothing else fails where one is not installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pandas as pd
import pyarrow as pa

from loantap.portfolio.errors import InputError

EMBEDDED = "duckdb"
# Ending of a table that waits to take the place of the last good one.
STAGED = "__staged"
# Keys of a connection string, over the drivers of the three systems.
_SECRETS = frozenset({"pwd", "password", "token", "auth_accesstoken", "accesstoken"})


class Backend(Protocol):
    """A database that can be read in Arrow batches and, when embedded, be written."""

    def read(self, query: str, batch_rows: int) -> pa.RecordBatchReader:
        """Run a query; the batches are read as they are asked for."""

    def write(self, table: str, frames: Iterable[pd.DataFrame]) -> None:
        """Replace a table in one transaction."""

    def rename(self, table: str, name: str) -> None:
        """Give a table a name, in place of the table that has it."""

    def drop(self, table: str) -> None:
        """Remove a table; nothing happens where there is none."""

    def has_table(self, table: str) -> bool:
        """Whether the table can be read."""


def make_backend(system: str, credentials: dict[str, Any]) -> Backend:
    """Backend for a source system.

    `credentials` hold `backend` and what it needs: `path` for `duckdb`, `connection_string` for
    `odbc`.

    Raises:
        InputError: the backend is unknown, or what it needs is missing.
    """
    match credentials:
        case {"backend": "duckdb", "path": str(path)}:
            return DuckDB(system, Path(path))
        case {"backend": "odbc", "connection_string": str(text)} if "=" not in text:
            # The default in conf/odbc, which names the variable that holds the real one.
            raise InputError(
                f"credentials of {system}",
                f"'{text}' is not an ODBC connection string",
                "Set the environment variable to one such as Driver={..};Server=..;Uid=..;Pwd=..",
            )
        case {"backend": "odbc", "connection_string": str(connection_string)}:
            return Odbc(system, connection_string)
    raise InputError(
        f"credentials of {system}",
        f"backend '{credentials.get('backend')}' with {sorted(credentials)} is not understood",
        "Use backend duckdb with a path, or backend odbc with a connection_string",
    )


class DuckDB:
    """An embedded database in one file, read natively through Arrow."""

    def __init__(self, system: str, path: Path) -> None:
        self._system = system
        self._path = path

    def read(self, query: str, batch_rows: int) -> pa.RecordBatchReader:
        """See `Backend`."""
        connection = self._connect(read_only=True)
        try:
            reader = connection.sql(query).to_arrow_reader(batch_rows)
        except duckdb.Error as error:
            connection.close()
            raise InputError(
                f"{self._system} ({self._path})",
                f"the query failed: {str(error).splitlines()[0]}",
                "Rebuild the embedded sources with `kedro run --pipelines sources`",
            ) from error

        def batches() -> Iterator[pa.RecordBatch]:
            # The reader lives off the connection, which closes when the last batch is read.
            with connection:
                yield from reader

        return pa.RecordBatchReader.from_batches(reader.schema, batches())

    def write(self, table: str, frames: Iterable[pd.DataFrame]) -> None:
        """See `Backend`."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._connect(read_only=False) as connection:
            connection.begin()
            for number, frame in enumerate(frames):
                connection.register("frame", frame)
                if number == 0:
                    connection.execute(f'CREATE OR REPLACE TABLE "{table}" AS FROM frame')
                else:
                    connection.execute(f'INSERT INTO "{table}" BY NAME FROM frame')
                connection.unregister("frame")
            connection.commit()

    def rename(self, table: str, name: str) -> None:
        """See `Backend`."""
        with self._connect(read_only=False) as connection:
            connection.begin()
            connection.execute(f'DROP TABLE IF EXISTS "{name}"')
            connection.execute(f'ALTER TABLE "{table}" RENAME TO "{name}"')
            connection.commit()

    def drop(self, table: str) -> None:
        """See `Backend`."""
        with self._connect(read_only=False) as connection:
            connection.execute(f'DROP TABLE IF EXISTS "{table}"')

    def has_table(self, table: str) -> bool:
        """See `Backend`."""
        if not self._path.exists():
            return False
        with self._connect(read_only=True) as connection:
            names = connection.execute("SELECT table_name FROM information_schema.tables")
            return (table,) in names.fetchall()

    def _connect(self, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        try:
            return duckdb.connect(str(self._path), read_only=read_only)
        except duckdb.IOException as error:
            raise InputError(
                f"{self._system} ({self._path})",
                f"the file cannot be opened: {str(error).splitlines()[0]}",
                "Build the embedded sources with `kedro run --pipelines sources`, or end the "
                "other process that holds the file open",
            ) from error


class Odbc:
    """A real system behind an ODBC driver; read only."""

    # Longest text a source may hold; the driver would truncate or fail beyond it.
    _MAX_TEXT_BYTES = 4_096

    def __init__(self, system: str, connection_string: str) -> None:
        self._system = system
        self._connection_string = connection_string

    def read(self, query: str, batch_rows: int) -> pa.RecordBatchReader:
        """See `Backend`."""
        try:
            import arrow_odbc
        except (ImportError, OSError) as error:
            raise InputError(
                self._system,
                f"ODBC is not available ({error})",
                "Install the extra `loantap[odbc]` and the system package unixodbc",
            ) from error
        try:
            reader: Any = arrow_odbc.read_arrow_batches_from_odbc(
                query,
                self._connection_string,
                batch_size=batch_rows,
                max_text_size=self._MAX_TEXT_BYTES,
                map_schema=_widen_floats,
            )
        except arrow_odbc.Error as error:
            # The driver's message is quoted, the connection string with its password is not.
            message = " ".join(str(error).splitlines())
            raise InputError(
                self._system,
                f"the query over ODBC failed: {_redact(message, self._connection_string)}",
                "Check the driver, the address, the login and the rights on the table",
            ) from error
        return pa.RecordBatchReader.from_batches(reader.schema, iter(reader))

    def write(self, table: str, frames: Iterable[pd.DataFrame]) -> None:  # noqa: ARG002
        """Refused: a real system is not written to over ODBC."""
        raise InputError(
            self._system,
            f"table {table.removesuffix(STAGED)} would be written to a real system, which this "
            f"version only reads",
            "Run with the embedded sources (`--env base`), or leave the publishing nodes out",
        )

    def rename(self, table: str, name: str) -> None:  # noqa: ARG002
        """Never reached: nothing is written."""
        self.write(table, [])

    def drop(self, table: str) -> None:
        """Nothing was written, so there is nothing to remove."""

    def has_table(self, table: str) -> bool:  # noqa: ARG002
        """Taken as given: asking would connect before the data is needed."""
        return True


def _redact(message: str, connection_string: str) -> str:
    """The message without any secret of the connection string, should a driver repeat one."""
    for part in connection_string.split(";"):
        key, _, value = part.partition("=")
        if value and key.strip().lower() in _SECRETS:
            message = message.replace(value.strip("{} "), "***")
    return message


def _widen_floats(schema: pa.Schema) -> pa.Schema:
    """Read doubles, which some drivers give as float32, and decimals as float64."""
    fields = [
        field.with_type(pa.float64())
        if pa.types.is_floating(field.type) or pa.types.is_decimal(field.type)
        else field
        for field in schema
    ]
    return pa.schema(fields)
