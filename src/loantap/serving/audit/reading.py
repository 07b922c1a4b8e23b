"""How records are read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection, Row, Select, and_, select

from loantap.serving.audit.chain import begin_id, write_time
from loantap.serving.audit.records import PREFIXES, Kind, Page, Record
from loantap.serving.audit.tables import personal, records

# A clock's largest error when a record got its id; see `_narrow_ids`.
_CLOCK_ERROR = timedelta(days=1)
_MAX_LIMIT = 500
# Records per statement.
_STEP = 1_000


@dataclass(frozen=True, slots=True)
class Search:
	"""Which decisions are looked for, kept from `since` on and before `until`; None: any.

	An erased application is not found by its id.
	"""

	decision: str | None = None
	person: str | None = None
	application_id: str | None = None
	since: datetime | None = None
	until: datetime | None = None
	model_version: str | None = None
	policy_digest: str | None = None


def select_records() -> Select[Any]:
	"""Every record with its personal part, if it is there."""
	joined = records.outerjoin(personal, records.c.seq == personal.c.seq)
	return select(records, personal.c.content).select_from(joined)


def read_record(row: Row[Any]) -> Record:
	"""A record of a row of `select_records`."""
	content = row.content
	return Record(
		row.seq,
		row.id,
		Kind(row.kind),
		datetime.fromisoformat(row.at),
		row.caller,
		row.person,
		row.subject,
		from_json(row.public),
		None if content is None else from_json(content),
		row.personal_digest is not None and content is None,
		row.hash,
		row.request_id,
		row.request_digest,
	)


def find(connection: Connection, record_id: str) -> Record | None:
	"""The record of an id."""
	row = connection.execute(select_records().where(records.c.id == record_id)).first()
	return None if row is None else read_record(row)


def find_idempotent(connection: Connection, caller_key: str, key: str) -> list[Record]:
	"""What was kept under an idempotency key, in order."""
	asked = select_records().where(records.c.idempotency_key == key, records.c.caller == caller_key)
	return [read_record(row) for row in connection.execute(asked.order_by(records.c.position))]


def list_about(connection: Connection, record_id: str) -> list[Record]:
	"""What happened to a record since, oldest first."""
	asked = select_records().where(records.c.subject == record_id).order_by(records.c.seq)
	return [read_record(row) for row in connection.execute(asked)]


def list_kinds(connection: Connection, kinds: Sequence[Kind], after: str = "") -> Iterator[Record]:
	"""All records of some kinds after an id, oldest first; no kinds that share a prefix."""
	for prefix in dict.fromkeys(PREFIXES[kind] for kind in kinds):
		asked = select_records().where(_has_prefix(prefix), records.c.id > after, records.c.kind.in_(kinds))
		for row in connection.execute(asked.order_by(records.c.id)):
			yield read_record(row)


def find_newest_id(connection: Connection, prefix: str) -> str | None:
	"""The last id with a prefix, which tells changes of this kind."""
	newest = select(records.c.id).where(_has_prefix(prefix)).order_by(records.c.id.desc()).limit(1)
	found: str | None = connection.execute(newest).scalar()
	return found


def select_decisions(wanted: Search) -> Select[Any]:
	"""Decisions that are looked for, in no order; by application, see `search`."""
	return select_records().where(_has_prefix(PREFIXES[Kind.DECISION]), *_list_conditions(wanted))


def search(connection: Connection, wanted: Search, after: str | None, limit: int) -> Page:
	"""Decisions, newest first, up to 500; `after` is `next` of the page before."""
	size = max(1, min(limit, _MAX_LIMIT))
	asked = select_decisions(wanted)
	if after is not None:
		asked = asked.where(records.c.id < after)
	asked = asked.order_by(records.c.id.desc())
	if wanted.application_id is None:
		rows = list(connection.execute(asked.limit(size + 1)))
	else:
		seqs = _find_seqs(connection, wanted.application_id)
		rows = _take(connection, asked, seqs, size + 1)
	found = tuple(read_record(row) for row in rows[:size])
	return Page(found, found[-1].id if len(rows) > size else None)


def _find_seqs(connection: Connection, application_id: str) -> list[int]:
	"""Without statistics a database would look through all decisions."""
	its = select(personal.c.seq).where(personal.c.application_id == application_id)
	return sorted(connection.execute(its).scalars(), reverse=True)


def _take(connection: Connection, asked: Select[Any], seqs: Sequence[int], most: int) -> list[Row[Any]]:
	"""Step by step: ids sort as numbers do."""
	rows: list[Row[Any]] = []
	for start in range(0, len(seqs), _STEP):
		some = asked.where(records.c.seq.in_(seqs[start : start + _STEP]))
		rows += connection.execute(some.limit(most - len(rows)))
		if len(rows) == most:
			break
	return rows


def _list_conditions(wanted: Search) -> Iterator[Any]:
	for name in ("decision", "person", "model_version", "policy_digest"):
		value = getattr(wanted, name)
		if value is not None:
			yield records.c[name] == value
	prefix = PREFIXES[Kind.DECISION]
	if wanted.since is not None:
		yield records.c.at >= write_time(wanted.since)
		# Ids are never earlier than `at` ...
		yield records.c.id >= begin_id(prefix, wanted.since)
	if wanted.until is not None:
		yield records.c.at < write_time(wanted.until)
		# ... but later where the clock was put back.
		yield records.c.id < begin_id(prefix, wanted.until + _CLOCK_ERROR)


def _has_prefix(prefix: str) -> Any:
	return and_(records.c.id >= prefix, records.c.id < prefix[:-1] + chr(ord(prefix[-1]) + 1))
