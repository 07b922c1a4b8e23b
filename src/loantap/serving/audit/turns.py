"""Writers of several processes take turns at SQLite, by a lock that wakes who waits (ADR 19).

It is freed with its holder.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from loantap.serving.audit.errors import AuditUnavailableError

_REMEDY = "Look which other program holds it, and whether its disk has room"
_REFUSED, _TAKEN = b"1", b"0"


class Turns:
  """The turns of one process, for one of its threads at a time.

  The locked file's one byte says whether the database refused the last who had a turn.
  """

  def __init__(self, path: Path, where: str) -> None:
    self._path = path
    self._where = where
    self._descriptor = -1

  @contextmanager
  def taken(self) -> Iterator[None]:
    """Keep other turns out; `AuditUnavailableError` where the file cannot be made."""
    try:
      if self._descriptor < 0:
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
      fcntl.flock(self._descriptor, fcntl.LOCK_EX)
    except OSError as error:
      raise AuditUnavailableError(self._where, f"{self._path.name}: {error.strerror}", _REMEDY) from error
    try:
      yield
      self._note(_TAKEN)
    except AuditUnavailableError:
      self._note(_REFUSED)
      raise
    finally:
      fcntl.flock(self._descriptor, fcntl.LOCK_UN)

  @property
  def was_refused(self) -> bool:
    """Whether the last turn kept nothing; asked by who has the turn."""
    return os.pread(self._descriptor, 1, 0) == _REFUSED

  def close(self) -> None:
    """Close the file, or a process that parts would share its turns."""
    if self._descriptor >= 0:
      os.close(self._descriptor)
      self._descriptor = -1

  def _note(self, said: bytes) -> None:
    if self.was_refused != (said == _REFUSED):
      # On a full disk, everybody waits as long as the first.
      with suppress(OSError):
        os.pwrite(self._descriptor, said, 0)
