"""Who writes when (ADR 19): processes take turns, and one commit serves all threads of a process that wait."""

import fcntl
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from loantap.serving.errors import AuditUnavailableError

_REMEDY = "Look which other program holds it, and whether its disk has room"
_REFUSED, _TAKEN = b"1", b"0"


class Turns:
	"""The turns of one process at SQLite, for one of its threads at a time.

	The lock is freed with its holder. Its file's one byte says whether the database refused the last who had a turn.
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


class Work(Protocol):
	"""What one thread wants done: about `rows`, in a transaction of its own if it `is_alone`."""

	rows: int
	is_alone: bool


W = TypeVar("W", bound=Work)


class _Ticket(Generic[W]):
	__slots__ = ("is_done", "leads", "wake", "work")

	def __init__(self, work: W) -> None:
		self.work = work
		self.is_done = False
		self.leads = False
		self.wake = threading.Lock()
		self.wake.acquire()


class GroupCommit(Generic[W]):
	"""Hands groups of works to one thread at a time.

	The first thread writes for itself, then the first of those who came meanwhile for all. No thread has to be started,
	stopped or lost in a fork.

	`carry_out` does a group of at most `max_rows` (its first work may have more) in one transaction, but for works given
	up, and notes the outcome in each; what it raises is raised in its thread. `give_up` notes that a work is not done,
	after an error or `patience` seconds.
	"""

	def __init__(
		self,
		carry_out: Callable[[list[W]], None],
		give_up: Callable[[W], None],
		max_rows: int = 2_000,
		patience: float = 8.0,
	) -> None:
		self._carry_out = carry_out
		self._give_up = give_up
		self._max_rows = max_rows
		self._patience = patience
		self._queue: deque[_Ticket[W]] = deque()
		self._lock = threading.Lock()
		self._is_led = False

	def __len__(self) -> int:
		"""How many threads wait."""
		return len(self._queue)

	def do(self, work: W) -> None:
		"""Returns when the work was carried out, by whichever thread."""
		ticket = _Ticket(work)
		with self._lock:
			self._queue.append(ticket)
			leads = not self._is_led
			self._is_led = True
		is_woken = leads or ticket.wake.acquire(timeout=self._patience)
		if not is_woken and self._leave(ticket):
			self._give_up(work)
		elif not ticket.is_done:
			self._lead()

	def _leave(self, ticket: _Ticket[W]) -> bool:
		with self._lock:
			if ticket.is_done or ticket.leads:
				return False
			if ticket in self._queue:
				self._queue.remove(ticket)
			return True

	def _lead(self) -> None:
		group = self._take_group()
		is_carried_out = False
		try:
			self._carry_out([ticket.work for ticket in group])
			is_carried_out = True
		finally:
			for ticket in group:
				if not is_carried_out:
					self._give_up(ticket.work)
				ticket.is_done = True
				ticket.wake.release()
			self._pass_on()

	def _take_group(self) -> list[_Ticket[W]]:
		with self._lock:
			group = [self._queue.popleft()]
			rows = group[0].work.rows
			while self._queue and not group[0].work.is_alone:
				following = self._queue[0].work
				rows += following.rows
				if following.is_alone or rows > self._max_rows:
					break
				group.append(self._queue.popleft())
		return group

	def _pass_on(self) -> None:
		with self._lock:
			if self._queue:
				self._queue[0].leads = True
				self._queue[0].wake.release()
			else:
				self._is_led = False
