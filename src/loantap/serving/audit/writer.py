"""What threads want done to the log, and how one does it for a group: the same request once, even twice at once."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from loantap.serving.audit.chain import Draft, WrittenDrafts, prepare
from loantap.serving.audit.engines import Engines
from loantap.serving.audit.records import Caller, Entry, Record
from loantap.serving.audit.transaction import MARKS, Chain, Numbered, Transaction, list_records
from loantap.serving.errors import AuditUnavailableError, IdempotencyConflictError

T = TypeVar("T")
_ASK = "SELECT caller, idempotency_key FROM records WHERE position = 0 AND idempotency_key IN "
# Records that are many in one transaction.
_MANY = 1_000


@dataclass(slots=True)
class Append:
	"""Entries to keep; whichever thread writes calls `make`."""

	make: Callable[[], Sequence[Entry]]
	caller: Caller
	rows: int
	is_alone: bool = False
	entries: Sequence[Entry] = ()
	drafts: list[Draft] = field(default_factory=list)
	written: WrittenDrafts | None = None
	numbered: list[Numbered] = field(default_factory=list)
	ids: list[str] = field(default_factory=list)
	at: datetime = field(default_factory=lambda: datetime.now(UTC))
	# The group has its idempotency key already.
	comes_again: bool = False
	before: list[Record] = field(default_factory=list)
	error: Exception | None = None

	def prepare(self) -> None:
		"""Make the entries; a failure is told to the thread that wants them."""
		if self.error is None:
			try:
				self.entries = self.make()
				self.drafts = prepare(self.entries)
			except Exception as error:  # noqa: BLE001 - raised again in that thread
				self.error = error

	def list_kept(self) -> list[Record]:
		"""The entries as records."""
		return list_records(self.entries, self.numbered, self.caller, self.at)


@dataclass(slots=True)
class Change(Generic[T]):
	"""Needs a transaction of its own."""

	act: Callable[[Transaction], T]
	rows: int = 1
	is_alone: bool = True
	result: list[T] = field(default_factory=list)
	error: Exception | None = None


class KeptRequests:
	"""What was kept under some callers' idempotency keys; no writer comes between."""

	def __init__(
		self, cursor: Any, callers: Sequence[Caller], mark: str, find_kept: Callable[[str, str], list[Record]]
	) -> None:
		self._kept: dict[tuple[str, str], list[Record]] = {}
		self._comes: set[tuple[str, str]] = set()
		asked = {(caller.key_id, caller.idempotency_key) for caller in callers if caller.idempotency_key is not None}
		if not asked:
			return
		marks = ", ".join([mark] * len(asked))
		for found in cursor.execute(f"{_ASK}({marks})", [key for _, key in asked]).fetchall():
			if found in asked:
				self._kept[found] = find_kept(*found)

	def find(self, caller: Caller) -> list[Record] | None:
		"""What was kept for the same request, or None; `IdempotencyConflictError` for the key of another one."""
		if caller.idempotency_key is None:
			return None
		kept = self._kept.get((caller.key_id, caller.idempotency_key))
		if kept is not None:
			require_same(kept, caller)
		return kept

	def comes_again(self, caller: Caller) -> bool:
		"""Whether the group has the key already."""
		if caller.idempotency_key is None:
			return False
		name = (caller.key_id, caller.idempotency_key)
		is_there = name in self._comes
		self._comes.add(name)
		return is_there


class Writer:
	"""Does the works of a group, for one thread at a time."""

	def __init__(self, engines: Engines, find_kept: Callable[[str, str], list[Record]]) -> None:
		self._engines = engines
		self._find_kept = find_kept
		self._style = engines.writer.dialect.paramstyle
		# By the clock that is never put back.
		self.written_at = float("-inf")

	def carry_out(self, group: list[Append | Change[Any]]) -> None:
		"""Put all that is appended into one transaction; a change has its own."""
		first = group[0]
		if isinstance(first, Change):
			if first.error is not None:
				return
			with self._engines.writing() as connection:
				result = first.act(Transaction(connection))
			first.result.append(result)
			self.written_at = time.monotonic()
		else:
			self._keep([work for work in group if isinstance(work, Append)])

	def _keep(self, works: list[Append]) -> None:
		for work in works:
			work.prepare()
		works = [work for work in works if work.error is None]
		if not works:
			return
		try:
			is_large = sum(work.rows for work in works) > _MANY
			with self._engines.keeping(is_large=is_large) as cursor:
				chain = Chain(cursor, self._style)
				callers = [work.caller for work in works]
				requests = KeptRequests(cursor, callers, MARKS[self._style], self._find_kept)
				for work in works:
					_keep_one(work, chain, requests)
				chain.flush()
			self.written_at = time.monotonic()
		except AuditUnavailableError as error:
			for work in works:
				# One per thread: an error notes where it was raised.
				work.error = AuditUnavailableError(error.where, error.problem, error.remedy)


def _keep_one(work: Append, chain: Chain, requests: KeptRequests) -> None:
	if work.error is not None:  # nobody waits for it any more
		return
	try:
		before = requests.find(work.caller)
	except IdempotencyConflictError as error:
		work.error = error
		return
	work.at = chain.now
	if before is not None:
		work.before = before
	elif requests.comes_again(work.caller):
		work.comes_again = True
	else:
		work.numbered = chain.keep(work.drafts, work.caller)
		if work.written is not None:
			work.ids = chain.keep_written(work.written, work.caller, len(work.drafts))


def give_up(work: Append | Change[Any]) -> None:
	"""Note that nothing came of a work, unless it failed already."""
	work.error = work.error or AuditUnavailableError(
		"audit log",
		"the thread that writes for this one was interrupted, or waits for another writer",
		"Ask again; look whether another process holds the log",
	)


def require_same(kept: Sequence[Record], caller: Caller) -> None:
	"""Refuse a key that was used for another request."""
	if kept and kept[0].request_digest != caller.request_digest:
		raise IdempotencyConflictError(
			f"idempotency key {caller.idempotency_key}",
			f"it was used for another request, on {kept[0].at:%Y-%m-%d %H:%M:%S} UTC",
			"Give each request a key of its own, and the same one only to repeat it",
		)
