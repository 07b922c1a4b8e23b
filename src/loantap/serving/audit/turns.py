"""Writers of several processes take turns.

SQLite lets one write at a time. Who comes second sleeps and tries again, longer each time up to a
tenth of a second, while the first may come again at once: with two busy processes one request in a
thousand waited for a third of a second. A lock of the operating system wakes who waits, and is
freed when its holder is killed.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from loantap.serving.audit.errors import AuditUnavailableError

T = TypeVar("T")
_REMEDY = "Look which other program holds it, and whether its disk has room"


class Turns:
    """The turns of one process, for one of its threads at a time.

    Who doesn't know the lock, such as SQLite's own shell, is kept out by SQLite. Nothing ends the
    wait for a lock that its holder never frees, so that a thread kept for it waits, and who asked
    goes on without it after some seconds.

    Args:
        path: of the file that is locked; it stays empty.
        where: the log as messages name it.
        most_seconds: that anybody waits for a turn.
    """

    def __init__(self, path: Path, where: str, most_seconds: float) -> None:
        self._path = path
        self._where = where
        self._most_seconds = most_seconds
        self._descriptor = -1
        self._lock = threading.Lock()
        self._asked: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self._n_waiting = 0
        self._has_thread = False

    def run(self, act: Callable[[], T]) -> T:
        """Do something while nobody else of those who take turns writes.

        Raises:
            AuditUnavailableError: another has the turn for too long, or the file cannot be made.
        """
        with self._lock:
            is_taken = not self._n_waiting and self._take_at_once()
            if not is_taken:
                self._n_waiting += 1
        if not is_taken:
            return self._wait(act)
        try:
            return act()
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file; a process that parts from this one would share its turns otherwise."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _take_at_once(self) -> bool:
        try:
            if self._descriptor < 0:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise AuditUnavailableError(
                self._where, f"{self._path.name}: {error.strerror}", _REMEDY
            ) from error
        return True

    def _wait(self, act: Callable[[], T]) -> T:
        """Have the other thread wait and act: a hand-over at the turn's end holds nobody up."""
        asked: Future[T] = Future()
        with self._lock:
            if not self._has_thread:
                self._has_thread = True
                threading.Thread(target=self._act_on, name="audit-turns", daemon=True).start()
        self._asked.put((asked, act))
        try:
            return asked.result(self._most_seconds)
        except FutureTimeoutError:
            if not asked.cancel():  # its turn has come, and the database has limits of its own
                return asked.result()
        problem = f"other writers held it for {self._most_seconds:g} seconds"
        raise AuditUnavailableError(self._where, problem, _REMEDY)

    def _act_on(self) -> None:
        while True:
            asked, act = self._asked.get()
            descriptor = self._descriptor
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            except OSError:
                act = self._refuse
            tell = _try(asked, act) if asked.set_running_or_notify_cancel() else None
            with self._lock:
                self._n_waiting -= 1
                if descriptor == self._descriptor:
                    fcntl.flock(descriptor, fcntl.LOCK_UN)
            # Told last: who asked may take the next turn, which must not end with this one.
            if tell is not None:
                tell()

    def _refuse(self) -> None:
        raise AuditUnavailableError(self._where, f"{self._path.name} was closed", _REMEDY)


def _try(asked: Future[T], act: Callable[[], T]) -> Callable[[], object]:
    """Act; returns what tells the result, or the error, to who asked."""
    try:
        result = act()
    except BaseException as error:  # noqa: BLE001 - raised again in the thread that asked
        told = error
        return lambda: asked.set_exception(told)
    return lambda: asked.set_result(result)
