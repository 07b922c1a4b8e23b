"""Help for a loan on the watch-list: the plan, what may be offered, what came of it, and what works."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from loantap.measures.intervals import wilson_bounds
from loantap.serving.told import Note, Told
from loantap.surveillance.help.actions import Action
from loantap.surveillance.options import LEVELS, QUEUES

_Money = Annotated[float, Field(strict=True, gt=0, le=1e8)]
_Months = Annotated[int, Field(strict=True, ge=1, le=480)]
# The list has trends as text.
_Trend = Annotated[
	list[float | None],
	BeforeValidator(
		lambda given: [None if v == "nan" else float(v) for v in given.split()] if isinstance(given, str) else given
	),
]
# The terms that make up an action; nobody can offer `none`.
NEEDED: Final[Mapping[Action, tuple[str, ...]]] = MappingProxyType(
	{
		Action.REMINDER: (),
		Action.COUNSELLING: (),
		Action.DUE_DATE_SHIFT: ("shift_days",),
		Action.TERM_EXTENSION: ("emi_new", "months_left_new"),
		Action.STEP_UP: ("emi_new", "emi_later", "step_months", "months_left_new"),
	}
)
# Of the watch-list, with what may be chosen.
FILTERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
	{"queue": QUEUES, "level": LEVELS, "action": tuple(Action)}
)


class State(StrEnum):
	"""How far an offer is; a loan has at most one that is offered or accepted."""

	OFFERED = "offered"
	ACCEPTED = "accepted"
	DECLINED = "declined"
	ENDED = "ended"


class Said(StrEnum):
	"""What the borrower said."""

	ACCEPTED = "accepted"
	DECLINED = "declined"


class HelpOutcome(StrEnum):
	"""What became of the loan, from the best."""

	CAUGHT_UP = "caught_up"
	PAID_OFF = "paid_off"
	STILL_BEHIND = "still_behind"
	DEFAULTED = "defaulted"


class Terms(Told):
	"""Terms of help; each action has its own."""

	emi_new: _Money | None = Field(None, description="New instalment")
	emi_later: _Money | None = Field(None, description="Instalment after the step")
	step_months: _Months | None = Field(None, description="Months until the step")
	months_left_new: _Months | None = Field(None, description="Months left")
	shift_days: Annotated[int, Field(strict=True, ge=1, le=31)] | None = Field(None, description="Days later")


class HelpProposal(Told):
	"""What is offered: the plan, or other terms with a note."""

	action: Action
	terms: Terms | None = Field(None, description="Left out: those of the plan")
	note: Note = Field("", description="Why not the plan")

	@model_validator(mode="after")
	def _has_its_terms(self) -> Self:
		if self.action not in NEEDED:
			raise ValueError(f"{self.action} is no help")
		needed = NEEDED[self.action]
		if self.terms is not None and set(self.terms.model_dump(exclude_none=True)) != set(needed):
			raise ValueError(f"the terms of {self.action} are: {', '.join(needed) or 'none'}")
		return self


class Spoken(Told):
	"""What the borrower said."""

	answer: Said


class Ended(Told):
	"""What became of the loan."""

	outcome: HelpOutcome


class Plan(Told):
	"""The fitting help, by rule and arithmetic."""

	action: Action
	why: str
	emi_now: float
	emi_new: float | None
	emi_later: float | None = Field(description="After the step of a step-up")
	step_months: int | None
	months_left: int
	months_left_new: int
	shift_days: int
	dti_now: float | None
	dti_new: float | None
	cost: float = Field(description="Expected present value that it costs the lender")
	loss_avoided: float = Field(description="Expected; which share is avoided is an assumption")
	net_benefit: float

	@property
	def terms(self) -> Terms:
		"""What is to be offered."""
		return Terms.model_validate({name: getattr(self, name) for name in NEEDED.get(self.action, ())})


class HelpOffer(Told):
	"""Help that was offered, and what came of it."""

	id: str
	loan_id: str | None = Field(description="Null once it was erased")
	at: datetime
	person: str
	action: Action
	by_plan: bool = Field(description="Whether the terms are the plan's")
	terms: Terms
	note: str
	simulated: bool
	state: State
	answer: Said | None
	answered_at: datetime | None
	answered_by: str | None
	outcome: HelpOutcome | None
	ended_at: datetime | None
	ended_by: str | None


class HelpOfferPage(Told):
	"""Some offers, newest first, and how many there are."""

	items: list[HelpOffer]
	next: str | None = Field(description="Give it as `after` for more; null at the end")
	n: int


class WatchedLoan(Told):
	"""A loan on the watch-list, its plan, and the help so far."""

	loan_id: str
	as_of_month: date
	rank: int
	queue: str
	level: str
	reason: str
	triggers: str = Field(description="Names, the most serious first")
	sma: str = Field(description="Special mention account, such as SMA-0")
	days_past_due: float
	outstanding_balance: float
	pd_12m: float
	expected_loss: float = Field(description="PD of 12 months x LGD x balance")
	expected_loss_avoidable: float = Field(description="The part that help is assumed to avoid")
	first_seen: date
	escalated_in: date | None
	trend_utilisation: _Trend = Field(description="Of up to 12 months, oldest first")
	trend_dti: _Trend
	trend_dpd: _Trend
	origin: str = Field(description="Of the loan: real or simulated")
	events_origin: str = Field(description="Of its months")
	plan: Plan | None = Field(None, description="Null where no run has made plans for this list")
	offers: list[HelpOffer] = Field(default_factory=list, description="Newest first")


class WatchlistPage(Told):
	"""The watch-list, by rank."""

	as_of_month: date | None
	simulated: bool
	n: int = Field(description="Loans that the filters let through")
	counts: dict[str, dict[str, int]] = Field(description="Of the whole list, by queue, level and action")
	items: list[WatchedLoan]
	next: str | None = Field(description="Give it as `after` for more; null at the end")


# Offers by action, whether simulated, answer and outcome.
Counts = Mapping[tuple[str | int | None, ...], int]
# With fewer, an interval is up to 35 points wide.
FEW: Final = 30


class Rate(Told):
	"""`n` of `of`, with its 95% interval (Wilson)."""

	n: int
	of: int
	share: float | None
	low: float | None
	high: float | None
	is_small: bool = Field(description="Too few to conclude from")


class HelpOfAction(Told):
	"""What came of an action."""

	action: Action
	simulated: bool
	offered: int
	take_up: Rate = Field(description="Accepted, of those answered")
	outcomes: dict[Said, dict[HelpOutcome, Rate]] = Field(description="By answer, of those known")


class HelpReport(Told):
	"""What works, from the lightest touch; simulated loans apart."""

	items: list[HelpOfAction]


def report_help(counts: Counts) -> HelpReport:
	"""Take-up and outcomes of each action that was offered."""
	seen = {key[:2] for key in counts}
	return HelpReport(items=[_report(counts, a, s) for s in (0, 1) for a in Action if (a, s) in seen])


def measure_rate(n: int, of: int) -> Rate:
	"""A share with its interval."""
	if not of:
		return Rate(n=n, of=of, share=None, low=None, high=None, is_small=True)
	low, high = wilson_bounds(n, of)
	return Rate(n=n, of=of, share=n / of, low=float(low), high=float(high), is_small=of < FEW)


def _report(counts: Counts, action: Action, simulated: int) -> HelpOfAction:
	mine = {(said, outcome): n for (a, s, said, outcome), n in counts.items() if (a, s) == (action, simulated)}
	answered = {said: sum(n for (one, _), n in mine.items() if one == said) for said in Said}
	known = {said: answered[said] - mine.get((said, None), 0) for said in Said}
	return HelpOfAction(
		action=action,
		simulated=bool(simulated),
		offered=sum(mine.values()),
		take_up=measure_rate(answered[Said.ACCEPTED], sum(answered.values())),
		outcomes={
			said: {outcome: measure_rate(mine.get((said, outcome), 0), known[said]) for outcome in HelpOutcome}
			for said in Said
		},
	)
