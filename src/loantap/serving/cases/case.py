"""A referred decision that waits for a person, and what people decide."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from loantap.serving.told import Note, Told


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


class Case(Told):
	"""A referred decision that waits for a person, or was decided by one."""

	decision_id: str
	state: Literal["open", "taken", "closed"]
	amount: float = Field(description="At stake, in currency")
	taken_by: str | None
	# Of who has it or decided it; nobody is told.
	taken_by_key: SkipJsonSchema[str | None] = Field(None, exclude=True)
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


class Cases(Told):
	"""The queue."""

	items: list[QueuedCase]
	next: str | None
	n: int = Field(description="Of all cases in this state")
	reasons: list[str] = Field(description="Those that a person may give")


class DecidedCase(Case):
	"""A case that a person decided."""

	note: str | None
	override: str = Field(description="Id of its record")


class CaseDecision(Told):
	"""What a person decides."""

	decision: Outcome
	reason: Reason
	note: Note | None = None


class OverrideCount(Told):
	"""How many overrides."""

	reason: str = ""
	person: str = ""
	outcome: str
	n: int


class Overrides(Told):
	"""What people decided on referred applications."""

	n: int
	by_outcome: dict[str, int]
	by_reason: list[OverrideCount]
	by_person: list[OverrideCount]
