"""The watch-list and help in answers."""

from datetime import datetime
from typing import Any

from pydantic import Field

from loantap.serving.api.schemas import Answer, Share
from loantap.serving.help.offer import Answer as Answered
from loantap.serving.help.offer import Outcome, State
from loantap.surveillance.help.actions import Action
from loantap.surveillance.watchlist.options import Level, Queue

_ORIGIN = Field(description="`real`, or made up: `simulated`, `simulated_from_outcome`")


class Plan(Answer):
    """The fitting help for a loan, by rule and arithmetic."""

    action: Action
    why: str
    emi_now: float = Field(description="Instalment, in currency per month")
    emi_new: float | None
    emi_later: float | None = Field(description="After the step of a step-up")
    step_months: float | None
    months_left: int
    months_left_new: int
    shift_days: int
    dti_now: float | None = Field(description="In percent")
    dti_new: float | None
    cost: float = Field(description="Present value that it costs the lender")
    loss_avoided: float = Field(description="Expected; its share of the loss is an assumption")
    net_benefit: float


class HelpOffer(Answer):
    """Help that was offered, and what came of it."""

    id: str
    loan_id: str | None = Field(description="Null once it was erased")
    at: datetime
    person: str = Field(description="Who offered it")
    action: Action
    by_plan: bool = Field(description="Whether the terms are the plan's")
    terms: dict[str, float]
    note: str | None
    simulated: bool
    state: State
    answer: Answered | None
    answered_at: datetime | None
    answered_by: str | None
    outcome: Outcome | None
    ended_at: datetime | None
    ended_by: str | None


class WatchedLoan(Answer):
    """A loan on the watch-list."""

    loan_id: str
    rank: int
    queue: Queue
    level: Level
    reason: str
    triggers: str = Field(description="Names, the most serious first")
    sma: str = Field(description="Special mention account: SMA-0, SMA-1, SMA-2 or empty")
    days_past_due: float
    outstanding_balance: float
    pd_12m: Share
    expected_loss: float = Field(description="PD of 12 months x LGD x balance")
    expected_loss_avoidable: float = Field(description="The part that help is assumed to avoid")
    first_seen: str = Field(description="Month, such as 2017-03")
    escalated_in: str | None
    trends: dict[str, list[float | None]] = Field(description="Of up to 12 months, oldest first")
    origin: str = _ORIGIN
    events_origin: str = _ORIGIN
    plan: Plan | None = Field(description="Null where no run has made plans for this list")
    offers: list[HelpOffer] = Field(description="Help so far, newest first")


class WatchlistPage(Answer):
    """The watch-list, by rank."""

    as_of_month: str | None
    simulated: bool
    n: int = Field(description="Loans that the filters let through")
    counts: dict[str, dict[str, int]] = Field(description="Of the whole list, by queue, level and action")
    items: list[WatchedLoan]
    next: str | None = Field(description="Give it as `after` for more; null at the end")


class HelpOffers(Answer):
    """Offers of help, newest first."""

    items: list[HelpOffer]
    next: str | None
    n: int


class Rate(Answer):
    """`n` of `of`, with its 95% interval (Wilson)."""

    n: int
    of: int
    share: Share | None
    low: Share | None
    high: Share | None
    is_small: bool = Field(description="Too few to conclude from")


class HelpOfAction(Answer):
    """What came of an action."""

    action: Action
    simulated: bool
    offered: int
    take_up: Rate = Field(description="Accepted, of those answered")
    outcomes: dict[Answered, dict[Outcome, Rate]] = Field(description="By answer, of those known")


class HelpReport(Answer):
    """What works."""

    items: list[HelpOfAction]


def describe_choice(name: str, choices: type[Answered | Outcome]) -> dict[str, Any]:
    """JSON Schema of a body with one choice."""
    choice = {"type": "string", "enum": list(choices)}
    return {"type": "object", "properties": {name: choice}, "required": [name], "additionalProperties": False}
