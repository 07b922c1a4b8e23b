"""An offer of help, from the words to what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from loantap.serving.audit.records import Record
from loantap.surveillance.help.actions import Action


class State(StrEnum):
    """How far an offer is; a loan has at most one that is offered or accepted."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    ENDED = "ended"


class Answer(StrEnum):
    """What the borrower said."""

    ACCEPTED = "accepted"
    DECLINED = "declined"


class Outcome(StrEnum):
    """What became of the loan, from the best."""

    CAUGHT_UP = "caught_up"
    PAID_OFF = "paid_off"
    STILL_BEHIND = "still_behind"
    DEFAULTED = "defaulted"


@dataclass(frozen=True, slots=True)
class Term:
    """A term of help: what it is called, and its range."""

    label: str
    low: float
    high: float
    is_whole: bool = True


TERMS: Final = MappingProxyType(
    {
        "emi_new": Term("New instalment (EMI)", 0.01, 1e8, is_whole=False),
        "emi_later": Term("Instalment after the step", 0.01, 1e8, is_whole=False),
        "step_months": Term("Months before the step", 1, 120),
        "months_left_new": Term("Months left", 1, 480),
        "shift_days": Term("Days later", 1, 31),
    }
)
# The terms that make up each action; nobody can offer `none`.
NEEDED: Final[Mapping[Action, tuple[str, ...]]] = MappingProxyType(
    {
        Action.REMINDER: (),
        Action.COUNSELLING: (),
        Action.DUE_DATE_SHIFT: ("shift_days",),
        Action.TERM_EXTENSION: ("emi_new", "months_left_new"),
        Action.STEP_UP: ("emi_new", "emi_later", "step_months", "months_left_new"),
    }
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is offered for a loan.

    Attributes:
        public: of its record: terms, whether they are the plan's, what the list said of the loan.
        reason: why the loan is on the list.
        note: why something else than the plan is offered.
    """

    loan_id: str
    action: Action
    is_simulated: bool
    public: Mapping[str, Any]
    reason: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What was offered, and what came of it; `record` has who, when and the terms."""

    record: Record
    action: Action
    is_simulated: bool
    state: State
    answer: Answer | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    outcome: Outcome | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None

    @property
    def loan_id(self) -> str | None:
        """The loan; None once it was erased."""
        return (self.record.personal or {}).get("loan_id")


@dataclass(frozen=True, slots=True)
class OfferPage:
    """Some offers, newest first; `next` is the next page's `after`, `n` how many there are."""

    items: tuple[Offer, ...]
    next: str | None
    n: int
