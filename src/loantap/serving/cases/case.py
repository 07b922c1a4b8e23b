"""A referred decision that waits for a person."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row

from loantap.serving.audit.records import Record


class State(StrEnum):
    """How far a case is; one whose time is over is open again."""

    OPEN = "open"
    TAKEN = "taken"
    CLOSED = "closed"


class Outcome(StrEnum):
    """What a person may decide."""

    APPROVE = "approve"
    DECLINE = "decline"


class Reason(StrEnum):
    """Why a person decided so; a closed list, so that it can be counted."""

    INCOME_CONFIRMED = "income confirmed"
    EMPLOYMENT_CONFIRMED = "employment confirmed"
    DEBTS_EXPLAINED = "debts explained or settled"
    KNOWN_CUSTOMER = "good record as a customer"
    SMALLER_RISK = "risk smaller than the model says"
    INCOME_NOT_CONFIRMED = "income not confirmed"
    EMPLOYMENT_NOT_CONFIRMED = "employment not confirmed"
    TOO_MUCH_DEBT = "too much other debt"
    SUSPECTED_FRAUD = "suspected fraud"
    GREATER_RISK = "risk greater than the model says"
    WITHDRAWN = "applicant withdrew"
    POLICY = "credit policy"
    OTHER = "other, see the note"


@dataclass(frozen=True, slots=True)
class Case:
    """A referred decision.

    Attributes:
        seq: number of its record; older decisions have smaller ones.
        amount: at stake, in currency.
        opened_at: when the decision was made.
        taken_by: who has it, or decided it.
        expires_at: until when it is held for this person.
        outcome: approve or decline; None until it is closed.
    """

    decision_id: str
    seq: int
    state: State
    amount: float
    opened_at: datetime
    taken_by: str | None
    taken_by_key: str | None
    taken_at: datetime | None
    expires_at: datetime | None
    outcome: Outcome | None
    reason: Reason | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class QueuedCase:
    """A case of the queue with the record of its decision."""

    case: Case
    decision: Record


@dataclass(frozen=True, slots=True)
class CasePage:
    """Some cases of the queue, in the order asked for, and the number of all in their state.

    `next` is `after` of the next page, None at the end.
    """

    items: tuple[QueuedCase, ...]
    next: str | None
    n: int


def read_case(row: Row[Any], now: datetime) -> Case:
    """A case of a row of the table, as it stands at a time."""
    expires_at = _read_time(row.expires_at)
    if row.state == State.TAKEN and expires_at is not None and expires_at <= now:
        state, taken_by, taken_by_key, taken_at, expires_at = State.OPEN, None, None, None, None
    else:
        state, taken_by, taken_by_key = State(row.state), row.taken_by, row.taken_by_key
        taken_at = _read_time(row.taken_at)
    return Case(
        row.decision_id, row.seq, state, float(row.amount), datetime.fromisoformat(row.opened_at),
        taken_by, taken_by_key, taken_at, expires_at,
        None if row.outcome is None else Outcome(row.outcome),
        None if row.reason is None else Reason(row.reason), _read_time(row.closed_at),
    )  # fmt: skip


def _read_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
