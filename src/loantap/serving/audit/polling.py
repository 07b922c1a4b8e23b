"""What a process knows of the log, made anew once another changed it."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy import Connection

from loantap.serving.audit.reading import find_newest_id
from loantap.serving.audit.store import AuditStore

T = TypeVar("T")
MAX_AGE_SECONDS = 0.5


class Polled(Generic[T]):
  """A value made of the records of one sort.

  A new id with the prefix makes it out of date; it is used `max_age` seconds without a look.
  """

  def __init__(
    self, store: AuditStore, prefix: str, make: Callable[[Connection], T], max_age: float = MAX_AGE_SECONDS
  ) -> None:
    self._store = store
    self._prefix = prefix
    self._make = make
    self._max_age = max_age
    self._lock = threading.Lock()
    self._looked_at = float("-inf")
    self._known: tuple[str | None, T] | None = None

  def get(self) -> T:
    """The value, at most `max_age` behind the log, or `AuditUnavailableError`."""
    known = self._known
    if known is not None and time.monotonic() - self._looked_at < self._max_age:
      return known[1]
    with self._lock:
      return self._look()

  def forget(self) -> None:
    """Look again at the next call, after a change by this process."""
    self._looked_at = float("-inf")

  def _look(self) -> T:
    known, looked_at = self._known, time.monotonic()
    if known is None or looked_at - self._looked_at >= self._max_age:
      known = self._store.read(self._read)
      self._known, self._looked_at = known, looked_at
    return known[1]

  def _read(self, connection: Connection) -> tuple[str | None, T]:
    newest = find_newest_id(connection, self._prefix)
    if self._known is not None and self._known[0] == newest:
      return self._known
    return newest, self._make(connection)
