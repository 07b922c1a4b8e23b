"""The refer queue in answers: cases, and what people decided."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from loantap.serving.api.schemas import Answer
from loantap.serving.cases.case import Outcome, Reason
from loantap.serving.notes import Note


class Case(Answer):
    """A referred decision that waits for a person, or was decided by one."""

    decision_id: str
    state: Literal["open", "taken", "closed"]
    amount: float = Field(description="At stake, in currency")
    taken_by: str | None
    outcome: Literal["approve", "decline"] | None
    reason: str | None
    opened_at: datetime
    taken_at: datetime | None
    expires_at: datetime | None = Field(description="Until then it is held for who took it")
    closed_at: datetime | None


class QueuedCase(Case):
    """A case of the queue, with the decision."""

    application_id: str | None
    probability_of_default: float | None
    score: int | None
    expected_npv: float | None
    reasons: list[str]


class Cases(Answer):
    """The queue."""

    items: list[QueuedCase]
    next: str | None
    n: int = Field(description="Of all cases in this state")
    reasons: list[str] = Field(description="Those that a person may give")


class DecidedCase(Case):
    """A case that a person decided."""

    note: str | None
    override: str = Field(description="Id of its record")


class CaseDecision(Answer):
    """What a person decides."""

    decision: Outcome
    reason: Reason
    note: Note | None = None


class OverrideCount(Answer):
    """How many overrides."""

    reason: str = ""
    person: str = ""
    outcome: str
    n: int


class Overrides(Answer):
    """What people decided on referred applications."""

    n: int
    by_outcome: dict[str, int]
    by_reason: list[OverrideCount]
    by_person: list[OverrideCount]
