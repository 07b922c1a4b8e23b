"""Which alerts are open, and which messages about them still have to be delivered.

Messages are kept in the same transaction that opens, goes on with or clears an alert, so that none is lost and none
made twice, whatever fails afterwards.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, Text, create_engine, event, select, update

from loantap.surveillance.monitoring.checks import AlertReport, Finding

metadata = MetaData()
alerts = Table(
	"alerts",
	metadata,
	Column("rule", Text, primary_key=True),
	Column("subject", Text, primary_key=True),
	*(Column(name, Text) for name in ("opened_on", "told_on", "cleared_on", "finding")),
)
messages = Table(
	"messages",
	metadata,
	Column("id", Integer, primary_key=True),
	*(Column(name, Text, nullable=False) for name in ("channel", "kind", "finding", "made_on")),
	Column("attempts", Integer, nullable=False, default=0),
	*(Column(name, Text) for name in ("due_at", "claimed_until", "delivered_at", "error")),
)
reports = Table("reports", metadata, Column("as_of", Text, primary_key=True), Column("taken_at", Text, nullable=False))
_WAITING: Final = select(messages).where(messages.c.delivered_at.is_(None)).order_by(messages.c.id)
# A claim outlives the slowest delivery; who dies with one leaves the message to the next.
_CLAIM: Final = timedelta(minutes=10)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)


class DeliveryError(Exception):
	"""A message did not arrive; it is kept and tried again."""


class Kind(StrEnum):
	"""What a message says of an alert."""

	OPENED = "opened"
	GOES_ON = "goes_on"
	CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Message:
	"""Something to tell over one channel; `attempts` have failed so far."""

	id: int
	channel: str
	kind: Kind
	finding: Finding
	made_on: date
	attempts: int


def open_ledger(url: str) -> Engine:
	"""The ledger at a SQLAlchemy URL; its tables are made on demand."""
	engine = create_engine(url)
	if engine.dialect.name == "sqlite":
		# Writers wait for each other, from the beginning of a transaction on.
		event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
		event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
	metadata.create_all(engine)
	return engine


def take_report(connection: Connection, report: AlertReport, now: datetime) -> int | None:
	"""Open, go on with, or clear alerts by what a monitoring run found; how many messages that makes.

	What the run could not judge stays as it was. The same report again changes nothing, another of the same day counts.
	One of a day before the last makes no difference: then it returns None.
	"""
	newest = connection.execute(select(reports.c.as_of).order_by(reports.c.as_of.desc()).limit(1)).scalar()
	day = report.as_of.isoformat()
	if newest is not None and day < newest:
		return None
	if day != newest:
		connection.execute(reports.insert().values(as_of=day, taken_at=now.isoformat()))
	known = {(row.rule, row.subject): row for row in connection.execute(select(alerts))}
	made = []
	for finding in report.findings:
		kind = _follow(connection, finding, known.get((finding.rule, finding.subject)), report.as_of)
		made += [(kind, finding)] if kind else []
	for key in report.quiet:
		if key in known and known[key].cleared_on is None:
			_set(connection, key, cleared_on=day)
			made.append((Kind.CLEARED, Finding.model_validate_json(known[key].finding)))
	return sum(_tell(connection, kind, finding, day) for kind, finding in made)


def _follow(connection: Connection, finding: Finding, row: Any, as_of: date) -> Kind | None:
	key, day, content = (finding.rule, finding.subject), as_of.isoformat(), finding.model_dump_json()
	if row is None:
		connection.execute(alerts.insert().values(rule=finding.rule, subject=finding.subject))
	if row is None or row.cleared_on is not None:
		_set(connection, key, opened_on=day, told_on=day, cleared_on=None, finding=content)
		return Kind.OPENED
	is_silent = (as_of - date.fromisoformat(row.told_on)).days < max(finding.silence_days, 1)
	_set(connection, key, finding=content, **({} if is_silent else {"told_on": day}))
	return None if is_silent else Kind.GOES_ON


def _set(connection: Connection, key: tuple[str, str], **values: Any) -> None:
	rule, subject = key
	connection.execute(update(alerts).where(alerts.c.rule == rule, alerts.c.subject == subject).values(**values))


def _tell(connection: Connection, kind: Kind, finding: Finding, day: str) -> int:
	row = {"kind": kind.value, "finding": finding.model_dump_json(), "made_on": day}
	for channel in finding.channels:
		connection.execute(messages.insert().values(channel=channel, **row))
	return len(finding.channels)


@contextmanager
def claimed(engine: Engine, now: datetime) -> Iterator[list[Message]]:
	"""Messages that are due, oldest first, held back from any other sender.

	A channel is told in order: nothing of it is due before the oldest.
	"""
	until = (now + _CLAIM).isoformat()
	with engine.begin() as connection:
		asked = _WAITING if engine.dialect.name == "sqlite" else _WAITING.with_for_update()
		rows = connection.execute(asked).all()
		held = {row.channel for row in rows if not _is_due(row, now)}
		due = [row for row in rows if row.channel not in held]
		ids = [row.id for row in due]
		_note(connection, ids, claimed_until=until)
	try:
		yield [_read(row) for row in due]
	finally:
		with engine.begin() as connection:
			mine = messages.c.id.in_(ids) & (messages.c.claimed_until == until)
			connection.execute(update(messages).where(mine).values(claimed_until=None))


def _is_due(row: Any, now: datetime) -> bool:
	# A time further off than any wait was written by a clock that has been put back since.
	limits = ((row.due_at, _LONGEST_WAIT), (row.claimed_until, _CLAIM))
	return all(at is None or not now < datetime.fromisoformat(at) <= now + longest for at, longest in limits)


def _read(row: Any) -> Message:
	finding, day = Finding.model_validate_json(row.finding), date.fromisoformat(row.made_on)
	return Message(row.id, row.channel, Kind(row.kind), finding, day, row.attempts)


def note_delivered(engine: Engine, told: Sequence[Message], now: datetime) -> None:
	"""These have arrived."""
	with engine.begin() as connection:
		_note(connection, [message.id for message in told], delivered_at=now.isoformat(), error=None)


def note_failed(engine: Engine, told: Sequence[Message], error: str, now: datetime) -> None:
	"""These have not: each is due again after a wait that doubles, up to an hour."""
	with engine.begin() as connection:
		for message in told:
			wait = min(_FIRST_WAIT * 2 ** min(message.attempts, 6), _LONGEST_WAIT)
			due_at = (now + wait).isoformat()
			_note(connection, [message.id], attempts=message.attempts + 1, due_at=due_at, error=error)


def _note(connection: Connection, ids: Sequence[int], **values: Any) -> None:
	connection.execute(update(messages).where(messages.c.id.in_(ids)).values(**values))


def list_waiting(connection: Connection) -> list[tuple[Message, str | None]]:
	"""Messages that have not arrived, each with why the last attempt failed."""
	return [(_read(row), row.error) for row in connection.execute(_WAITING)]
