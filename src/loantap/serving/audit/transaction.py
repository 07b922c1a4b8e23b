"""A transaction of the only writer: records numbered, chained, inserted."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from loantap.serving.audit import tables
from loantap.serving.audit.chain import (
	GENESIS,
	Draft,
	IdMaker,
	WrittenDrafts,
	hash_record,
	prepare,
	require_caller,
	write_time,
)
from loantap.serving.audit.records import PREFIXES, Caller, Entry, Kind, Record

REFER, OPEN = "refer", "open"
# Number, id and hash of a record.
Numbered = tuple[int, str, str]


class Chain:
	"""The end of the chain, in a transaction that keeps other writers out.

	The driver's cursor costs a tenth of SQLAlchemy's; `style` marks its parameters.
	"""

	def __init__(self, cursor: Any, style: str) -> None:
		self.now = datetime.now(UTC)
		self._cursor, self._mark = cursor, MARKS[style]
		last = cursor.execute("SELECT seq, id, hash FROM records ORDER BY seq DESC LIMIT 1").fetchone()
		self._seq: int = last[0] if last else 0
		self._last_id: str | None = last[1] if last else None
		self._hash: str = last[2] if last else GENESIS
		self._rows: dict[str, list[tuple[Any, ...]]] = {"records": [], "personal": [], "cases": []}

	def keep(self, drafts: Sequence[Draft], caller: Caller) -> list[Numbered]:
		"""Number and chain what is prepared; `flush` inserts it."""
		ids = IdMaker(self.now, self._last_id, len(drafts))
		at = write_time(self.now)
		return [self._keep_one(draft, caller, ids, at, position) for position, draft in enumerate(drafts)]

	def _keep_one(self, draft: Draft, caller: Caller, ids: IdMaker, at: str, position: int) -> Numbered:
		rows = self._rows
		seq = self._seq + 1
		record_id = ids.make(PREFIXES[draft.kind], seq)
		columns = (
			seq,
			record_id,
			draft.kind.value,
			at,
			caller.key_id,
			caller.person,
			draft.subject,
			caller.request_id,
			caller.idempotency_key,
			position,
			caller.request_digest,
			draft.decision,
			draft.model_version,
			draft.policy_digest,
			draft.public,
			draft.digest,
			self._hash,
		)
		hashed = hash_record(columns)
		rows["records"].append((*columns, hashed))
		if draft.content is not None:
			rows["personal"].append((seq, draft.salt, draft.content, draft.application_id))
		if draft.decision == REFER and draft.kind is Kind.DECISION:
			rows["cases"].append((seq, record_id, OPEN, draft.amount, at))
		self._seq, self._last_id, self._hash = seq, record_id, hashed
		return seq, record_id, hashed

	def keep_written(self, drafts: WrittenDrafts, caller: Caller, position: int) -> list[str]:
		"""`keep` for texts, from a position on; returns their ids."""
		written = drafts.written
		ids = IdMaker(self.now, self._last_id, len(drafts.salts))
		at, kind, prefix = write_time(self.now), Kind.DECISION.value, PREFIXES[Kind.DECISION]
		asked = (at, caller.key_id, caller.person, None, caller.request_id, caller.idempotency_key)
		by, digest = (written.model_version, written.policy_digest), caller.request_digest
		seq, last, records, made = self._seq, self._hash, self._rows["records"], []
		for public, personal_digest, decision in zip(written.publics, drafts.digests, written.decisions, strict=True):
			seq += 1
			record_id = ids.make(prefix, seq)
			columns = (seq, record_id, kind, *asked, position, digest, decision, *by, public, personal_digest, last)
			last = hash_record(columns)
			records.append((*columns, last))
			made.append(record_id)
			position += 1
		numbers = range(self._seq + 1, seq + 1)
		self._rows["personal"] += zip(numbers, drafts.salts, written.personals, written.application_ids, strict=True)
		opened = zip(numbers, made, written.amounts, written.decisions, strict=True)
		self._rows["cases"] += [(n, i, OPEN, amount, at) for n, i, amount, d in opened if d == REFER]
		if made:
			self._seq, self._last_id, self._hash = seq, made[-1], last
		return made

	def flush(self) -> None:
		"""Insert what was kept, many rows with one statement: `executemany` is slow (ADR 19)."""
		for name, rows in self._rows.items():
			if len(rows) > _ROWS_AT_ONCE and hasattr(self._cursor, "copy"):
				self._copy(name, rows)
			else:
				self._insert(name, rows)
			rows.clear()

	def _insert(self, name: str, rows: list[tuple[Any, ...]]) -> None:
		for start in range(0, len(rows), _ROWS_AT_ONCE):
			piece = rows[start : start + _ROWS_AT_ONCE]
			statement = _write_insert(name, len(piece), self._mark)
			self._cursor.execute(statement, list(chain.from_iterable(piece)))

	def _copy(self, name: str, rows: list[tuple[Any, ...]]) -> None:
		with self._cursor.copy(f"COPY {name} ({', '.join(_COLUMNS[name])}) FROM STDIN") as copy:
			for row in rows:
				copy.write_row(row)


class Transaction:
	"""A transaction of the only writer, for more than keeping records."""

	def __init__(self, connection: Connection) -> None:
		self.connection = connection
		dialect = connection.dialect
		self._chain = Chain(connection.connection.cursor(), dialect.paramstyle)
		self.now = self._chain.now

	def append(self, entries: Sequence[Entry], caller: Caller) -> list[Record]:
		"""Keep entries until the commit; `InputError` where they cannot be kept."""
		require_caller(caller)
		numbered = self._chain.keep(prepare(entries), caller)
		self._chain.flush()
		return list_records(entries, numbered, caller, self.now)


def list_records(entries: Sequence[Entry], numbered: Sequence[Numbered], caller: Caller, now: datetime) -> list[Record]:
	"""Entries that were kept, as records."""
	records = []
	for entry, (seq, record_id, hashed) in zip(entries, numbered, strict=True):
		record = Record(
			seq,
			record_id,
			entry.kind,
			now,
			caller.key_id,
			caller.person,
			entry.subject,
			entry.public,
			entry.personal,
			False,
			hashed,
			caller.request_id,
			caller.request_digest,
		)
		records.append(record)
	return records


@cache
def _write_insert(name: str, rows: int, mark: str) -> str:
	"""The same text each time, for the driver to keep prepared."""
	names = _COLUMNS[name]
	row = f"({', '.join([mark] * len(names))})"
	return f"INSERT INTO {name} ({', '.join(names)}) VALUES {', '.join([row] * rows)}"  # noqa: S608


_ROWS_AT_ONCE = 64
_COLUMNS = {
	table.name: [column.name for column in table.columns][:width]
	for table, width in ((tables.records, 18), (tables.personal, 4), (tables.cases, 5))
}
MARKS = MappingProxyType({"qmark": "?", "pyformat": "%s", "format": "%s"})
