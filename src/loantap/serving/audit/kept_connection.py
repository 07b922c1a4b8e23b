"""The one connection that records are kept over, open all the time.

SQLAlchemy's pool, begin and commit cost more than a small group's records.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine


class KeptConnection:
    """A driver's connection, for one thread at a time; `begin` keeps other writers out."""

    def __init__(self, engine: Engine, begin: Callable[[], Sequence[str]]) -> None:
        self._engine = engine
        self._tell_begin = begin
        self._connection: Any = None

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """A cursor in a transaction, committed at the end; an error closes the connection."""
        is_committed = False
        try:
            cursor = self._begin()
            yield cursor
            cursor.execute("COMMIT")
            is_committed = True
        finally:
            if not is_committed:
                self.close()

    def close(self) -> None:
        """Close the connection; what was not committed is undone."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _begin(self) -> Any:
        is_used = self._connection is not None
        if self._connection is None:
            self._connect()
        cursor = self._connection.cursor()
        try:
            self._run_begin(cursor)
        except self._engine.dialect.loaded_dbapi.Error:
            # Nothing was done before the server's restart: another attempt is safe.
            if not is_used or not getattr(self._connection, "closed", False):
                raise
            self.close()
            self._connect()
            cursor = self._connection.cursor()
            self._run_begin(cursor)
        return cursor

    def _run_begin(self, cursor: Any) -> None:
        for statement in self._tell_begin():
            cursor.execute(statement)

    def _connect(self) -> None:
        pooled = self._engine.raw_connection()
        pooled.detach()
        self._connection = pooled.dbapi_connection
        if hasattr(self._connection, "set_autocommit"):
            # Our statements begin and commit, as in SQLite.
            self._connection.set_autocommit(True)
