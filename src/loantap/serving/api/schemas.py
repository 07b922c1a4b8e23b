"""What answers look like, for the OpenAPI document; tests hold every answer to it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from loantap.serving.told import Told

Share = Annotated[float, Field(ge=0, le=1)]
Points = Annotated[int, Field(ge=300, le=900)]
Made = Literal["approve", "refer", "decline"]


class ModelName(Told):
	"""Which model scored."""

	name: str = Field(description="Registered name; one that ends in -demo learnt from made-up loans")
	version: str
	origin: Literal["real", "simulated"] = Field(description="Of the loans it learnt from")


class PolicyName(Told):
	"""Which credit policy decided."""

	version: str = Field(description="Id and version, and the rules that are switched on")
	digest: str = Field(description="First digits of the SHA-256 of what was approved")


class Offer(Told):
	"""One offer, or why there is none."""

	offer: int = Field(ge=0, le=3, description="1 to 3; 0 where there is none")
	kind: Literal["as asked", "smaller", "shorter", "longer", "none"]
	amount: float | None = Field(description="In currency")
	term_months: int | None
	rate_pct: float | None = Field(description="Nominal, in percent per year")
	instalment: float | None = Field(description="EMI, in currency per month")
	probability_of_default: Share | None
	is_counterfactual: bool = Field(description="Whether the PD is of other terms than asked for")
	expected_npv: float | None = Field(description="In currency")
	decision: Literal["approve", "refer", "decline", "invalid"]
	reason: str


class Decision(Told):
	"""A decision on one application."""

	id: str
	at: datetime
	application_id: str | None
	probability_of_default: Share = Field(description="PD, over the life of the loan")
	score: Points = Field(description="300 to 900 points; 50 more double the odds of repayment")
	decision: Made
	reasons: list[str] = Field(max_length=4, description="What decided, then what raises the risk")
	expected_npv: float | None = Field(description="In currency, at the loan's own rate and term")
	model: ModelName
	policy: PolicyName
	simulated: bool = Field(description="Whether the model learnt from made-up loans")
	case: Literal["open", "taken", "closed"] | None = Field(description="Of a referred decision")
	offers: list[Offer] = Field(default_factory=list, description="Where they were asked for")
	no_offers: str = Field("", description="Why none can be made, where they were asked for")


class BatchDecision(Decision):
	"""A decision on one row of a batch."""

	row: int = Field(ge=0, description="Place in the batch, from 0")


class InvalidRow(Told):
	"""A row of a batch that cannot be scored."""

	row: int = Field(ge=0, description="Place in the batch, from 0")
	decision: Literal["invalid"]
	reasons: list[str] = Field(description="What is wrong with it")


class Batch(Told):
	"""Decisions on many applications, in their order."""

	batch_id: str
	n: int
	counts: dict[str, int] = Field(description="Of approve, refer, decline and invalid")
	results: list[BatchDecision | InvalidRow]


class Offers(Told):
	"""Offers to one applicant."""

	id: str
	at: datetime
	application_id: str | None
	offers: list[Offer]
	model: ModelName
	policy: PolicyName
	simulated: bool


class Event(Told):
	"""What happened to a decision since."""

	id: str
	kind: str
	at: datetime
	person: str
	public: dict[str, Any]
	note: str = ""


class Contribution(Told):
	"""What a feature is worth."""

	feature: str
	label: str
	points: float


class KeptDecision(Decision):
	"""A decision as it is kept, with what went in and what happened since."""

	person: str = Field(description="For whom it was made")
	caller: str = Field(description="Id of the API key")
	erased: bool = False
	input: dict[str, str | float | None] = Field(default_factory=dict)
	base_points: float | None = None
	contributions: list[Contribution] = Field(
		default_factory=list, description="With base_points they sum to the score, unrounded"
	)
	unexplained: str = ""
	events: list[Event]


class FoundDecision(Decision):
	"""A decision that was found."""

	person: str


class Decisions(Told):
	"""Decisions, newest first."""

	items: list[FoundDecision]
	next: str | None = Field(description="Give it as `after` for more; null at the end")


class Outcome(Told):
	"""What was decided, or is decided now."""

	decision: str
	probability_of_default: float | None
	score: int | None
	expected_npv: float | None
	reasons: list[str]


class Replay(Told):
	"""A decision made once more."""

	id: str
	same: bool
	differences: list[str]
	original: Outcome
	replayed: Outcome


class ErasureReason(Told):
	"""Why personal data is erased, without naming the applicant: the reason stays."""

	reason: Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$")]


class Erasure(Told):
	"""What was erased."""

	id: str
	erased: int = Field(ge=0, description="Personal parts: of the decision and of what is about it")


class FieldProblem(Told):
	"""What is wrong with one field, and what to do."""

	field: str
	problem: str
	remedy: str


class Problem(Told):
	"""Problem details (RFC 9457)."""

	type: str
	title: str
	status: int
	detail: str
	instance: str
	request_id: str
	errors: list[FieldProblem] = Field(default_factory=list)
