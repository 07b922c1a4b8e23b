"""Erasing personal parts; the chain covers only their digests."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.exc import DBAPIError

from loantap.portfolio.errors import InputError
from loantap.serving.audit.chain import write_time
from loantap.serving.audit.records import Caller, Entry, Kind
from loantap.serving.audit.tables import personal, records
from loantap.serving.audit.transaction import Transaction
from loantap.serving.errors import ForbiddenErasureError, NotThereError

# Rows per statement, ids per record, parts purged per transaction, which keeps writers out.
_STATEMENT, _RECORD, _STEP = 500, 1_000, 5_000
# PostgreSQL's "insufficient privilege".
_FORBIDDEN = "42501"


def erase(
	transaction: Transaction, caller: Caller, reason: str, record_ids: Sequence[str], application_id: str | None
) -> int:
	"""Erase personal parts and record that; see `AuditStore.erase`."""
	_require_known(transaction, record_ids)
	of_application = personal.c.application_id == application_id
	joined = records.join(personal, records.c.seq == personal.c.seq)
	ids = list(record_ids)
	if application_id is not None:
		asked = select(records.c.id).select_from(joined).where(of_application)
		ids += transaction.connection.execute(asked).scalars()
	found: dict[int, str] = {}
	for some in _batch(ids, _STATEMENT):
		asked_rows = select(records.c.seq, records.c.id).select_from(joined)
		is_meant = or_(records.c.id.in_(some), records.c.subject.in_(some))
		rows = transaction.connection.execute(asked_rows.where(is_meant))
		found.update((row.seq, row.id) for row in rows)
	for seqs in _batch(sorted(found), _STATEMENT):
		_delete(transaction, personal.c.seq.in_(seqs))
	for erased in _batch(sorted(found), _RECORD):
		public = {"reason": reason, "records": [found[seq] for seq in erased]}
		transaction.append([Entry(Kind.ERASED, public)], caller)
	return len(found)


def find_cutoff(days: int) -> datetime:
	"""The time before which records are older than some days; `InputError` if negative."""
	if days < 0:
		raise InputError("days", f"{days} is negative", "Give 0 or more")
	return datetime.now(UTC) - timedelta(days=days)


def purge(transaction: Transaction, caller: Caller, before: datetime) -> int:
	"""Erase the oldest step of the personal parts kept before a time."""
	connection = transaction.connection
	kept_since = select(records.c.seq).where(records.c.at >= write_time(before))
	first_kept = connection.execute(kept_since.order_by(records.c.seq).limit(1)).scalar()
	old = select(personal.c.seq).order_by(personal.c.seq).limit(_STEP)
	if first_kept is not None:
		old = old.where(personal.c.seq < first_kept)
	step = old.subquery()
	up_to, n = connection.execute(select(func.max(step.c.seq), func.count()).select_from(step)).one()
	if not n:
		return 0
	_delete(transaction, personal.c.seq <= up_to)
	public = {"reason": f"kept before {write_time(before)}", "up_to": up_to, "n": n}
	transaction.append([Entry(Kind.ERASED, public)], caller)
	return int(n)


def _require_known(transaction: Transaction, record_ids: Sequence[str]) -> None:
	for some in _batch(list(record_ids), _STATEMENT):
		asked = select(records.c.id).where(records.c.id.in_(some))
		known = set(transaction.connection.execute(asked).scalars())
		for record_id in some:
			if record_id not in known:
				raise NotThereError(f"record {record_id}", "there is none of this id", "Look for it with a search")


def _delete(transaction: Transaction, condition: ColumnElement[bool]) -> None:
	try:
		transaction.connection.execute(personal.delete().where(condition))
	except DBAPIError as error:
		if getattr(error.orig, "sqlstate", None) != _FORBIDDEN:
			raise
		raise ForbiddenErasureError(
			"audit log",
			"this role of the database may keep records but not erase personal parts",
			"Run loantap-audit erase or purge with --url of the role that may",
		) from error


def _batch(values: list[Any], size: int) -> Iterator[list[Any]]:
	for at in range(0, len(values), size):
		yield values[at : at + size]
