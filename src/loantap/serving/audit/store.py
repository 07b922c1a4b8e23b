"""The audit log: append-only, chained, durable before anybody is answered."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any, Generic, Self, TypeVar

from sqlalchemy import Connection, update

from loantap.serving.audit import erasure, reading, schema, verification
from loantap.serving.audit.chain import WrittenDrafts, prepare_written, require_caller, write_time
from loantap.serving.audit.engines import Engines, open_engines
from loantap.serving.audit.reading import find_newest_id
from loantap.serving.audit.records import Caller, Entry, Head, KeptBatch, Page, Record, Verdict, Written
from loantap.serving.audit.tables import probe
from loantap.serving.audit.transaction import Transaction
from loantap.serving.audit.turns import GroupCommit
from loantap.serving.audit.writer import Append, Change, Writer, give_up, require_same
from loantap.serving.errors import AuditUnavailableError

T = TypeVar("T")
# Seconds; what was written to so recently can be written to.
_RECENT = 1.0


class AuditStore:
	"""The audit log of one process and its threads; others write beside it.

	Methods raise `AuditUnavailableError` where the database fails; nothing was done then, with an exception that it
	tells.
	"""

	def __init__(self, engines: Engines) -> None:
		self._engines = engines
		self._writer = Writer(engines, self.find_idempotent)
		self._works = GroupCommit[Append | Change[Any]](self._writer.carry_out, give_up)

	@classmethod
	def open(cls, url: str) -> Self:
		"""The log at a URL; a SQLite file is made, its tables brought up to date.

		`InputError` where the URL is not understood, `SchemaError` for tables of another version, `AuditUnavailableError`
		where it cannot be reached.
		"""
		engines = open_engines(url)
		with ExitStack() as failed:
			failed.callback(engines.dispose)
			if engines.is_sqlite:
				schema.upgrade(engines)
			else:
				schema.require_current(engines)
			failed.pop_all()
		return cls(engines)

	@property
	def where(self) -> str:
		"""The log as messages name it, without password."""
		return self._engines.where

	@property
	def waiting(self) -> int:
		"""How many requests wait for their records to be written."""
		return len(self._works)

	def close(self) -> None:
		"""Close what is open."""
		self._engines.dispose()

	def append(self, entries: Sequence[Entry], caller: Caller) -> list[Record]:
		"""Keep entries; returns when they are durable, all of them or none.

		A referred decision opens its case. Under an idempotency key that is there already, nothing is kept, and what was
		kept then is returned; `IdempotencyConflictError` where it was another request. `InputError` for what cannot be
		kept.
		"""
		if not entries:
			return []
		work = self._append(lambda: entries, caller, len(entries))
		return work.before or work.list_kept()

	def append_made(self, make: Callable[[], Entry], caller: Caller) -> Record:
		"""`append` for one entry, made where it is written (ADR 19); raises what `make` does."""
		work = self._append(lambda: [make()], caller)
		return (work.before or work.list_kept())[0]

	def append_batch(self, batch: Entry, decisions: Written, caller: Caller) -> KeptBatch:
		"""Keep a batch and its decisions, as `append` does."""
		written = prepare_written(decisions)
		work = self._append(lambda: [batch], caller, 1 + len(written.salts), written)
		ids = [*(kept[1] for kept in work.numbered), *work.ids]
		return KeptBatch(ids, work.at, work.before)

	def _append(
		self, make: Callable[[], Sequence[Entry]], caller: Caller, rows: int = 1, written: WrittenDrafts | None = None
	) -> Append:
		require_caller(caller)
		work = Append(make, caller, rows)
		work.written = written
		self._works.do(work)
		if work.error is not None:
			raise work.error
		if work.comes_again:
			work.before = self.find_idempotent(caller.key_id, str(caller.idempotency_key))
			require_same(work.before, caller)
		return work

	def change(self, act: Callable[[Transaction], T]) -> T:
		"""Do something in a transaction that no other writer comes between; an error undoes it."""
		work = Change(act)
		self._works.do(work)
		if work.error is not None:
			raise work.error
		return work.result[0]

	def read(self, act: Callable[[Connection], T]) -> T:
		"""Read from one state of the log."""
		with self._engines.reading() as connection:
			return act(connection)

	def find(self, record_id: str) -> Record | None:
		"""The record of an id, or None."""
		return self.read(lambda connection: reading.find(connection, record_id))

	def find_idempotent(self, caller_key: str, idempotency_key: str) -> list[Record]:
		"""What was kept under a caller's idempotency key, in order."""
		return self.read(lambda connection: reading.find_idempotent(connection, caller_key, idempotency_key))

	def search(
		self,
		*,
		decision: str | None = None,
		person: str | None = None,
		application_id: str | None = None,
		since: datetime | None = None,
		until: datetime | None = None,
		model_version: str | None = None,
		policy_digest: str | None = None,
		after: str | None = None,
		limit: int = 50,
	) -> Page:
		"""Decisions, newest first, up to 500 after the cursor `after`; see `reading.Search`."""
		wanted = reading.Search(decision, person, application_id, since, until, model_version, policy_digest)
		return self.read(lambda connection: reading.search(connection, wanted, after, limit))

	def about(self, record_id: str) -> list[Record]:
		"""What happened to a record since, oldest first."""
		return self.read(lambda connection: reading.list_about(connection, record_id))

	def verify(self, noted: Head | None = None) -> Verdict:
		"""Check the whole chain, and that it still holds an end noted earlier."""
		return self.read(lambda connection: verification.verify(connection, noted))

	def erase(
		self, caller: Caller, reason: str, *, record_ids: Sequence[str] = (), application_id: str | None = None
	) -> int:
		"""Erase personal parts: of records, of what is about them, or of an application; how many.

		`NotThereError` for an unknown id; `ForbiddenErasureError` where the database does not let this role.
		"""
		n = self.change(lambda transaction: erasure.erase(transaction, caller, reason, record_ids, application_id))
		# Nothing erased is left in SQLite's journal; a program that reads for longer delays that.
		self._engines.checkpoint("TRUNCATE")
		return n

	def purge_older_than(self, days: int, caller: Caller) -> int:
		"""Erase older records' personal parts, step by step; how many.

		`InputError` for negative days; `ForbiddenErasureError` as for `erase`.
		"""
		before = erasure.find_cutoff(days)
		n = 0
		while step := self.change(lambda transaction: erasure.purge(transaction, caller, before)):
			n += step
		self._engines.checkpoint("TRUNCATE")
		return n

	def tidy(self) -> None:
		"""Do what large batches put off; `AuditUnavailableError` if it has to wait."""
		self._engines.checkpoint()

	def is_writable(self) -> bool:
		"""Whether a record can be kept; tried unless one was in the last second."""
		if time.monotonic() - self._writer.written_at < _RECENT:
			return True
		try:
			self.change(
				lambda transaction: transaction.connection.execute(update(probe).values(at=write_time(transaction.now)))
			)
		except AuditUnavailableError:
			return False
		return True


MAX_AGE_SECONDS = 0.5


class Polled(Generic[T]):
	"""A value made of the records of one sort, used `max_age` seconds without a look for a new id."""

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
