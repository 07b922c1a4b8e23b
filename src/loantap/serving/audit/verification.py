"""Whether every record is as it was kept, and none is missing."""

from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection, Row, exists, select

from loantap.serving.audit.chain import GENESIS, digest_personal, find_application_id, find_columns, hash_record
from loantap.serving.audit.reading import list_kinds
from loantap.serving.audit.records import Fault, Head, Kind, Verdict
from loantap.serving.audit.tables import cases, help_offers, personal, records


class _BrokenError(Exception):
	"""What does not hold of a record."""


def verify(connection: Connection, noted: Head | None = None) -> Verdict:
	"""Check the whole chain, up to the first record that does not hold.

	Only `noted`, an earlier end, shows that the end was cut off or all was written anew.
	"""
	erased = _Erased(connection)
	seq, last = 0, GENESIS
	joined = records.outerjoin(personal, records.c.seq == personal.c.seq)
	asked = (
		select(records, personal.c.salt, personal.c.content, personal.c.application_id)
		.select_from(joined)
		.order_by(records.c.seq)
		.execution_options(yield_per=5_000)
	)
	with connection.execute(asked) as rows:
		for row in rows:
			try:
				_check_chain(row, seq, last)
				_check_found_by(row)
				_check_personal(row, erased)
				_check_noted(row, noted)
			except _BrokenError as broken:
				name = row.id if row.seq == seq + 1 else None
				return Verdict(seq, Head(seq, last), Fault(seq + 1, name, str(broken)))
			seq, last = row.seq, row.hash
	return Verdict(seq, Head(seq, last), _find_rest(connection, seq, noted))


class _Erased:
	def __init__(self, connection: Connection) -> None:
		self._ids: set[str] = set()
		self._up_to = 0
		for record in list_kinds(connection, [Kind.ERASED]):
			self._ids.update(record.public.get("records", ()))
			self._up_to = max(self._up_to, record.public.get("up_to", 0))

	def __contains__(self, row: Row[Any]) -> bool:
		return row.seq <= self._up_to or row.id in self._ids


def _check_chain(row: Row[Any], seq: int, last: str) -> None:
	if row.seq != seq + 1:
		raise _BrokenError(f"it is missing; record {row.seq} ({row.id}) comes next")
	if not _has_its_hash(row):
		raise _BrokenError("it was changed after it was kept: its hash is of something else")
	if row.previous != last:
		raise _BrokenError("it does not follow the record before: that has another hash")


def _check_found_by(row: Row[Any]) -> None:
	if (row.decision, row.model_version, row.policy_digest) != find_columns(from_json(row.public)):
		raise _BrokenError("it is found by a decision, model or policy that its public part has not")


def _check_personal(row: Row[Any], erased: _Erased) -> None:
	if row.content is None:
		if row.personal_digest is not None and row not in erased:
			raise _BrokenError("its personal part is gone, and no record says that it was erased")
		return
	if row.personal_digest is None:
		raise _BrokenError("a personal part was added to it after it was kept")
	# SQLite takes any type for any column.
	is_typed = isinstance(row.salt, bytes) and isinstance(row.content, str)
	if not is_typed or digest_personal(row.salt, row.content.encode()) != row.personal_digest:
		raise _BrokenError("its personal part was changed after it was kept")
	if row.application_id != find_application_id(from_json(row.content)):
		raise _BrokenError("its personal part is found by another application_id than it has")
	if row in erased:
		raise _BrokenError("its personal part was erased, and is there again")


def _check_noted(row: Row[Any], noted: Head | None) -> None:
	if noted is not None and row.seq == noted.seq and row.hash != noted.hash:
		raise _BrokenError("its hash is not the one that was noted down: the log was written anew")


def _find_rest(connection: Connection, seq: int, noted: Head | None) -> Fault | None:
	if noted is not None and noted.seq > seq:
		return Fault(seq + 1, None, f"it is missing: the log once ended at record {noted.seq}")
	for table, what in ((personal, "personal part"), (cases, "case"), (help_offers, "offer of help")):
		lone = select(table.c.seq).where(~exists().where(records.c.seq == table.c.seq))
		found = connection.execute(lone.order_by(table.c.seq).limit(1)).scalar()
		if found is not None:
			return Fault(found, None, f"it is missing; its {what} is there")
	return None


def is_as_kept(connection: Connection, record_id: str) -> bool:
	"""Whether one record still has its hash."""
	row = connection.execute(select(records).where(records.c.id == record_id)).first()
	return row is not None and _has_its_hash(row)


def _has_its_hash(row: Row[Any]) -> bool:
	columns = list(row)[: len(records.c) - 1]
	is_typed = all(column is None or isinstance(column, str | int) for column in columns)
	return is_typed and hash_record(columns) == row.hash
