"""MLflow's SQLite file, waited for while another process has it locked.

SQLite's own waiting is silent and deaf to Ctrl-C, so SQLAlchemy opens these connections.
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.engine import Engine

T = TypeVar("T")

# Seconds: MLflow's own, and a run's that has a search to lose.
USUAL_S, LONGEST_S = 20.0, 120.0
_PAUSE_S, _BETWEEN_LINES_S = 0.25, 15.0
# The lowest byte of an extended code is the primary one.
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_BUSY_TIMEOUT = "PRAGMA busy_timeout"

logger = logging.getLogger(__name__)
# It logs a traceback of what it raises; the command tells it once.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)

_limit_s: float | None = None


def wait_for(seconds: float | None) -> None:
  """Seconds to wait for a locked database from now on; None: as usual."""
  global _limit_s  # noqa: PLW0603 (connections belong to the process, as does their patience)
  _limit_s = seconds


def patience() -> float | None:
  """Seconds that a database is waited for; None where nobody has said."""
  return _limit_s


@contextmanager
def waiting_for(seconds: float) -> Iterator[None]:
  """Wait so long within the block."""
  before = _limit_s
  wait_for(seconds)
  try:
    yield
  finally:
    wait_for(before)


def persist(attempt: Callable[[], T]) -> T:
  """What an attempt gives, repeated while another process has the database.

  Raises:
      sqlite3.OperationalError: it stayed locked, or something else is the matter.
  """
  started = told = time.monotonic()
  limit_s = USUAL_S if _limit_s is None else _limit_s
  while True:
    try:
      return attempt()
    except sqlite3.OperationalError as error:
      now = time.monotonic()
      if error.sqlite_errorcode & 0xFF not in _BUSY or now - started >= limit_s:
        raise
      if told == started or now - told >= _BETWEEN_LINES_S:
        told = now
        logger.warning(
          "MLflow's database is locked by another process; waited %.0f s of at most %.0f s", now - started, limit_s
        )
    time.sleep(_PAUSE_S)


class _PatientCursor(sqlite3.Cursor):
  def execute(self, sql: str, parameters: Any = ()) -> Any:
    if sql.lstrip().startswith(_BUSY_TIMEOUT):  # MLflow sets it for every session
      sql = f"{_BUSY_TIMEOUT} = {_PAUSE_S * 1_000:.0f}"
    return persist(lambda: super(_PatientCursor, self).execute(sql, parameters))

  def executemany(self, sql: str, parameters: Iterable[Any]) -> Any:
    held = list(parameters)
    return persist(lambda: super(_PatientCursor, self).executemany(sql, held))


class PatientConnection(sqlite3.Connection):
  """A connection whose statements and commits wait, and can be interrupted."""

  def cursor(self, factory: Any = _PatientCursor) -> Any:
    """See `sqlite3.Connection.cursor`."""
    return super().cursor(factory)

  def commit(self) -> None:
    """See `sqlite3.Connection.commit`."""
    persist(super().commit)


@event.listens_for(Engine, "do_connect")
def _be_patient(dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
  if dialect.name == "sqlite":
    options |= {"factory": PatientConnection, "timeout": _PAUSE_S}
