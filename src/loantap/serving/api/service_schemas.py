"""What decides, in answers: the model and the policies; the fields, the key that asks, the health."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from loantap.serving.api.schemas import ModelName
from loantap.serving.told import Told


class Version(Told):
	"""A version of a model."""

	name: str
	version: str
	created: datetime
	is_champion: bool
	outcome: str
	reason: str


class Condition(Told):
	"""A condition of the rule of promotion, and its evidence."""

	name: str
	holds: bool
	evidence: str


class Challenger(Told):
	"""What was tried against the champion, and how it fared."""

	model_config = ConfigDict(frozen=True, extra="allow")

	name: str
	headline: str = ""
	conditions: list[Condition] = Field(default_factory=list)


class Model(ModelName):
	"""The model that decides."""

	kind: str
	target: str
	aliases: list[str]
	trained_at: datetime | None
	training_loans: int
	training_charge_offs: int
	features: list[str]
	loaded_at: datetime
	state: Literal["fresh", "last good"]
	doubt: str | None = Field(description="Why it may not be the champion now")
	challenger: Challenger | None
	history: list[Version]
	unknown: str = ""


class FieldOfApplication(Told):
	"""What a field of an application means."""

	name: str = Field(description="As it is sent")
	label: str
	meaning: str
	unit: str
	kind: Literal["number", "integer", "category", "month", "text"]
	minimum: float | None
	maximum: float | None
	values: list[str | float] | None = Field(description="What may be chosen; null for anything in the range")
	example: str | float
	required: bool
	nullable: bool
	personal: bool


class Fields(Told):
	"""The fields of an application, and a made-up one."""

	fields: list[FieldOfApplication]
	example: dict[str, str | float]


class Key(Told):
	"""The key that asks."""

	id: str
	owner: str
	person: str
	scopes: list[str]
	rate_per_minute: int


class Alive(Told):
	"""The process runs."""

	status: Literal["alive"]


class Ready(Told):
	"""Whether decisions can be made."""

	status: Literal["ready", "not ready"]
	checks: dict[str, dict[str, Any]]


class Policy(Told):
	"""A credit policy, with the assumptions that it rests on."""

	id: str
	version: str
	author: str
	effective_from: date
	policy: dict[str, Any]
	economics: dict[str, Any]


class Proposal(Policy):
	"""A policy that somebody proposed."""

	proposed_at: datetime
	proposed_by: str
	state: Literal["proposed", "in force", "past"]
	digest: str | None = None
	approved_by: str | None = None
	activated_at: datetime | None = None


class Policies(Told):
	"""The policy book, newest first."""

	items: list[Proposal]
	can_roll_back_to: str | None


class ActivePolicy(Policy):
	"""The policy in force."""

	digest: str
	approved_by: str
	activated_at: datetime
	activated_by: str


class Change(Told):
	"""Decisions that would have been others."""

	from_: str = Field(alias="from")
	to: str
	n: int


class Trial(Told):
	"""A policy on the decisions of the last 30 days."""

	n: int
	since: datetime
	until: datetime
	before: dict[str, int]
	after: dict[str, int]
	changes: list[Change]
	expected_npv_before: float = Field(description="Of what was approved, in currency")
	expected_npv_after: float
