"""Writers of several processes take turns.

SQLite lets one write at a time. Who comes second sleeps and tries again, longer each time up to a
tenth of a second, while the first may come again at once: with two busy processes one request in a
thousand waited for a third of a second. A lock of the operating system wakes who waits, and is
freed when its holder is killed.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loantap.serving.audit.errors import AuditUnavailableError

_REMEDY = "Look which other program holds it, and whether its disk has room"


class Turns:
    """The turns of one process, for one of its threads at a time.

    Who doesn't know the lock, such as SQLite's own shell, is kept out by SQLite.

    Args:
        path: of the file that is locked; it stays empty.
        where: the log as messages name it.
        most_seconds: after so long in the queue there is no use in waiting for the database too.
    """

    def __init__(self, path: Path, where: str, most_seconds: float) -> None:
        self._path = path
        self._where = where
        self._most_seconds = most_seconds
        self._descriptor = -1

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Nobody else of those who take turns writes meanwhile.

        Raises:
            AuditUnavailableError: it took too long, or the file cannot be made.
        """
        began = time.monotonic()
        try:
            if self._descriptor < 0:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except OSError as error:
            raise AuditUnavailableError(
                self._where, f"{self._path.name}: {error.strerror}", _REMEDY
            ) from error
        try:
            if time.monotonic() - began > self._most_seconds:
                problem = f"other writers held it for {self._most_seconds:g} seconds"
                raise AuditUnavailableError(self._where, problem, _REMEDY)
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file; a process that parts from this one would share its turns otherwise."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
