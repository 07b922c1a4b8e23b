"""The refer queue, page by page, and cases out of rows of the log.

Apart from `case`, since the dashboard knows cases and no database.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select, tuple_

from loantap.policy.score_table import APPLICATION_ID
from loantap.portfolio.errors import InputError
from loantap.serving.audit.chain import write_time
from loantap.serving.audit.reading import read_record, select_records
from loantap.serving.audit.records import Record
from loantap.serving.audit.tables import cases, records
from loantap.serving.cases.case import Case, Cases, QueuedCase, Reason, State

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


def read_case(row: Row[Any], now: datetime) -> Case:
  """A case of a row of the table, as it stands at a time."""
  return Case.model_validate(_read(row, now))


def _read_queued(row: Row[Any], record: Record, now: datetime) -> QueuedCase:
  """A case with the record of its decision."""
  personal = record.personal or {}
  told = {name: record.public.get(name) for name in ("probability_of_default", "score", "expected_npv")}
  told |= {APPLICATION_ID: personal.get(APPLICATION_ID), "reasons": personal.get("reasons", [])}
  return QueuedCase.model_validate(_read(row, now) | told)


def _read(row: Row[Any], now: datetime) -> dict[str, Any]:
  is_over = row.state == State.TAKEN and row.expires_at <= write_time(now)
  told = {name: getattr(row, name) for name in Case.model_fields}
  return {**told, **NOBODY} if is_over else told
