"""The refer queue: look, take, give back, decide; each step is a record.

Apart from `case`: the dashboard knows no database.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select, tuple_, update

from loantap.policy.credit_policy import fold_name
from loantap.policy.score_table import APPLICATION_ID
from loantap.portfolio.errors import InputError
from loantap.serving.audit.chain import write_time
from loantap.serving.audit.reading import list_kinds, read_record, select_records
from loantap.serving.audit.records import Caller, Entry, Kind, Record
from loantap.serving.audit.store import AuditStore
from loantap.serving.audit.tables import cases, records
from loantap.serving.audit.transaction import Transaction
from loantap.serving.cases.case import Case, CaseDecision, Cases, OverrideCount, Overrides, QueuedCase, Reason, State
from loantap.serving.errors import NotNowError, NotThereError

# Columns of a case that is open.
NOBODY: Final[Mapping[str, Any]] = MappingProxyType(
	{"state": "open", **dict.fromkeys(("taken_by", "taken_by_key", "taken_at", "expires_at"))}
)


class Order(StrEnum):
	"""Which case comes first."""

	AGE = "age"
	AMOUNT = "amount"


def list_queue(
	connection: Connection, state: State, order: Order, after: str | None, limit: int, now: datetime
) -> Cases:
	"""Cases in a state with their decisions; see `CaseQueue.list_cases`."""
	is_in_state = _is_in_state(state, now)
	asked = select(cases).where(is_in_state)
	if after is not None:
		asked = asked.where(_is_after(order, after))
	first = [cases.c.seq] if order is Order.AGE else [cases.c.amount.desc(), cases.c.seq]
	rows = connection.execute(asked.order_by(*first).limit(limit + 1)).all()
	shown = rows[:limit]
	decisions = {
		row.seq: read_record(row)
		for row in connection.execute(select_records().where(records.c.seq.in_([row.seq for row in shown])))
	}
	n = connection.execute(select(func.count()).select_from(cases).where(is_in_state)).scalar_one()
	items = [_read_queued(row, decisions[row.seq], now) for row in shown]
	following = _write_cursor(order, shown[-1]) if len(rows) > limit else None
	return Cases(items=items, next=following, n=n, reasons=list(Reason))


def _is_in_state(state: State, now: datetime) -> ColumnElement[bool]:
	has_expired = cases.c.expires_at <= write_time(now)
	if state is State.OPEN:
		return or_(cases.c.state == State.OPEN, and_(cases.c.state == State.TAKEN, has_expired))
	if state is State.TAKEN:
		return and_(cases.c.state == State.TAKEN, ~has_expired)
	return cases.c.state == State.CLOSED


def _write_cursor(order: Order, row: Any) -> str:
	return str(row.seq) if order is Order.AGE else f"{row.amount!r}:{row.seq}"


def _is_after(order: Order, cursor: str) -> ColumnElement[bool]:
	try:
		if order is Order.AGE:
			return cases.c.seq > int(cursor)
		amount, _, seq = cursor.partition(":")
		return tuple_(-cases.c.amount, cases.c.seq) > tuple_(-float(amount), int(seq))
	except ValueError as error:
		raise InputError("after", f"{cursor[:40]!r} is no cursor of this list", "Pass on `next` as it came") from error


def _read_case(row: Row[Any], now: datetime) -> Case:
	return Case.model_validate(_read(row, now))


def _read_queued(row: Row[Any], record: Record, now: datetime) -> QueuedCase:
	personal = record.personal or {}
	told = {name: record.public.get(name) for name in ("probability_of_default", "score", "expected_npv")}
	told |= {APPLICATION_ID: personal.get(APPLICATION_ID), "reasons": personal.get("reasons", [])}
	return QueuedCase.model_validate(_read(row, now) | told)


def _read(row: Row[Any], now: datetime) -> dict[str, Any]:
	is_over = row.state == State.TAKEN and row.expires_at <= write_time(now)
	told = {name: getattr(row, name) for name in Case.model_fields}
	return {**told, **NOBODY} if is_over else told


# Taking a case again holds it longer.
HOLD = timedelta(minutes=30)
_IS_OPEN = "Nothing is to be done: it was given back, or its time is over"


class CaseQueue:
	"""The cases of one audit log.

	One person with one key holds a case, for `hold`. Methods that change one raise `NotThereError`, or `NotNowError`
	where it was decided or who asks cannot have it.
	"""

	def __init__(self, store: AuditStore, hold: timedelta = HOLD) -> None:
		self._store = store
		self._hold = hold

	def find(self, decision_id: str) -> Case | None:
		"""The case of a decision; None where it was not referred."""
		row = self._store.read(lambda connection: _find_row(connection, decision_id))
		return None if row is None else _read_case(row, datetime.now(UTC))

	def list_cases(
		self, state: State = State.OPEN, order: Order = Order.AGE, after: str | None = None, limit: int = 50
	) -> Cases:
		"""Cases in a state, the oldest or largest first; `InputError` for another list's cursor."""
		now = datetime.now(UTC)
		return self._store.read(lambda connection: list_queue(connection, state, order, after, limit, now))

	def take(self, decision_id: str, caller: Caller) -> Case:
		"""Hold a case, or hold it for longer."""

		def act(transaction: Transaction) -> Case:
			case = _require_open(transaction, decision_id)
			if case.state == State.TAKEN.value and not _is_holder(case, caller):
				raise NotNowError(
					f"case {decision_id}",
					f"{case.taken_by} has it until {case.expires_at:%H:%M} UTC",
					"Ask for it to be given back, or take another one",
				)
			expires_at = transaction.now + self._hold
			changed: dict[str, object] = {
				"state": State.TAKEN,
				"taken_by": caller.person,
				"taken_by_key": caller.key_id,
				"taken_at": write_time(transaction.now),
				"expires_at": write_time(expires_at),
			}
			entry = Entry(Kind.CASE_TAKEN, {"expires_at": changed["expires_at"]}, None, decision_id)
			return _change(transaction, entry, caller, changed)[0]

		return self._store.change(act)

	def give_back(self, decision_id: str, caller: Caller) -> Case:
		"""Let others have a case that one holds."""

		def act(transaction: Transaction) -> Case:
			case = _require_open(transaction, decision_id)
			_require_holder(case, caller, "Take it first" if case.taken_by else _IS_OPEN)
			entry = Entry(Kind.CASE_RETURNED, {}, None, decision_id)
			return _change(transaction, entry, caller, NOBODY)[0]

		return self._store.change(act)

	def decide(self, decision_id: str, said: CaseDecision, caller: Caller) -> tuple[Case, Record]:
		"""Decide a case that one holds; the case and the record. The decision stays as made."""
		note = (said.note or "").strip() and said.note
		if said.reason is Reason.OTHER and not note:
			raise InputError("note", f"it is missing, and the reason is {said.reason}", "Say why in a note")

		def act(transaction: Transaction) -> tuple[Case, Record]:
			_require_holder(_require_open(transaction, decision_id), caller)
			public = said.model_dump(mode="json", exclude={"note"})
			# A note is about the applicant.
			personal = {"note": note} if note else None
			changed: dict[str, object] = {
				"state": State.CLOSED,
				"expires_at": None,
				"outcome": said.decision,
				"reason": said.reason,
				"closed_at": write_time(transaction.now),
			}
			entry = Entry(Kind.CASE_DECIDED, public, personal, decision_id)
			return _change(transaction, entry, caller, changed)

		return self._store.change(act)

	def count_overrides(self) -> Overrides:
		"""Overrides by outcome, reason and person."""
		decided = self._store.read(lambda connection: list(list_kinds(connection, [Kind.CASE_DECIDED])))
		outcomes = [record.public["decision"] for record in decided]
		reasons = Counter(zip((record.public["reason"] for record in decided), outcomes, strict=True))
		people = Counter(zip((record.person for record in decided), outcomes, strict=True))
		return Overrides(
			n=len(decided),
			by_outcome=Counter(outcomes),
			by_reason=[OverrideCount(reason=reason, outcome=outcome, n=n) for (reason, outcome), n in reasons.items()],
			by_person=[OverrideCount(person=person, outcome=outcome, n=n) for (person, outcome), n in people.items()],
		)


def _find_row(connection: Connection, decision_id: str) -> Row[Any] | None:
	return connection.execute(select(cases).where(cases.c.decision_id == decision_id)).first()


def _require_open(transaction: Transaction, decision_id: str) -> Case:
	row = _find_row(transaction.connection, decision_id)
	if row is None:
		raise NotThereError(
			f"case {decision_id}",
			"there is none: no decision of this id was referred",
			"Look into the queue, or search the decisions",
		)
	case = _read_case(row, transaction.now)
	if case.closed_at is not None:
		raise NotNowError(
			f"case {decision_id}",
			f"{case.taken_by} decided it on {case.closed_at:%Y-%m-%d %H:%M} UTC: {case.outcome}",
			"Take another one",
		)
	return case


def _is_holder(case: Case, caller: Caller) -> bool:
	return (
		case.taken_by is not None
		and case.taken_by_key == caller.key_id
		and fold_name(case.taken_by) == fold_name(caller.person)
	)


def _require_holder(case: Case, caller: Caller, remedy: str = "Take it first") -> None:
	if not _is_holder(case, caller):
		holder = f"{case.taken_by} has it" if case.taken_by else "nobody has it"
		raise NotNowError(f"case {case.decision_id}", f"{caller.person} does not have it: {holder}", remedy)


def _change(
	transaction: Transaction, entry: Entry, caller: Caller, changed: Mapping[str, object]
) -> tuple[Case, Record]:
	record = transaction.append([entry], caller)[0]
	is_meant = cases.c.decision_id == entry.subject
	row = transaction.connection.execute(update(cases).where(is_meant).values(changed).returning(cases)).one()
	return _read_case(row, transaction.now), record
