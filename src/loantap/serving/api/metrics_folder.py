"""The folder that the processes of one server count in, until it ends.

The next server clears a killed one's away, whose lock no process holds.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_PREFIX: Final = "loantap-metrics-"
_LOCK: Final = "lock"


@contextmanager
def own_folder(parent: Path | None = None) -> Iterator[Path]:
  """A new folder for this server's processes, by default in the system's temporary one."""
  where = parent or Path(tempfile.gettempdir())
  _clear(where)
  with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=where) as folder:
    # Locked before it is named, or another server would think it free.
    made = Path(folder) / "made"
    descriptor = os.open(made, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
      fcntl.flock(descriptor, fcntl.LOCK_EX)
      made.rename(made.with_name(_LOCK))
      yield Path(folder)
    finally:
      os.close(descriptor)


def _clear(where: Path) -> None:
  for lock in where.glob(f"{_PREFIX}*/{_LOCK}"):
    try:
      descriptor = os.open(lock, os.O_RDWR)
    except OSError:  # another user's, or gone meanwhile
      continue
    try:
      fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
      continue
    else:
      shutil.rmtree(lock.parent, ignore_errors=True)
    finally:
      os.close(descriptor)
