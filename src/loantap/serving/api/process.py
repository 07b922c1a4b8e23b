"""What a process of the API holds: memory, and a folder to count in."""

import ctypes
import fcntl
import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final


@contextmanager
def loading() -> Iterator[None]:
	"""Keep what is loaded within out of garbage collection for good.

	Collection takes a fifth of the start, and processes that part would not share what it touched.
	"""
	gc.disable()
	try:
		yield
		gc.freeze()
	finally:
		gc.enable()


# Gives back free memory, where the C library can.
trim: Callable[[int], object] = getattr(ctypes.CDLL(None), "malloc_trim", lambda kept: kept)


_PREFIX: Final = "loantap-metrics-"
_LOCK: Final = "lock"


@contextmanager
def own_folder(parent: Path | None = None) -> Iterator[Path]:
	"""A new folder for this server's processes to count in, by default a temporary one.

	The next server clears a killed one's away, whose lock no process holds.
	"""
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
