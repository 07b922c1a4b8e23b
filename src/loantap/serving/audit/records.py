"""What is kept, and who asked for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class Kind(StrEnum):
	"""What a record is about."""

	DECISION = "decision"
	BATCH = "batch"
	OFFERS = "offers"
	REPLAY = "replay"
	CASE_TAKEN = "case_taken"
	CASE_RETURNED = "case_returned"
	CASE_DECIDED = "case_decided"
	POLICY_PROPOSED = "policy_proposed"
	POLICY_ACTIVATED = "policy_activated"
	POLICY_ROLLED_BACK = "policy_rolled_back"
	HELP_OFFERED = "help_offered"
	HELP_ANSWERED = "help_answered"
	HELP_ENDED = "help_ended"
	KEY_CREATED = "key_created"
	KEY_REVOKED = "key_revoked"
	ERASED = "erased"


# Ids' prefixes, by which an index has each sort's records in order of time.
PREFIXES: Mapping[Kind, str] = MappingProxyType(
	{
		Kind.DECISION: "dec_",
		Kind.BATCH: "bat_",
		Kind.OFFERS: "ofr_",
		Kind.REPLAY: "rep_",
		Kind.CASE_TAKEN: "cas_",
		Kind.CASE_RETURNED: "cas_",
		Kind.CASE_DECIDED: "ovr_",
		Kind.POLICY_PROPOSED: "pol_",
		Kind.POLICY_ACTIVATED: "act_",
		Kind.POLICY_ROLLED_BACK: "act_",
		Kind.HELP_OFFERED: "hlp_",
		Kind.HELP_ANSWERED: "hls_",
		Kind.HELP_ENDED: "hls_",
		Kind.KEY_CREATED: "key_",
		Kind.KEY_REVOKED: "key_",
		Kind.ERASED: "era_",
	}
)


@dataclass(frozen=True, slots=True)
class Entry:
	"""What is to be kept, as plain JSON values.

	`public` is kept for good, in this order of names; decisions are found by its `decision`, `model.version` and
	`policy.digest`, a case takes its `amount`. `personal` (application, `application_id`, reasons) can be erased.
	`subject` is the id of the record that it is about.
	"""

	kind: Kind
	public: Mapping[str, Any]
	personal: Mapping[str, Any] | None = None
	subject: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
	"""Decisions of a batch as JSON texts of `Entry`, by column; all of one model and policy."""

	publics: Sequence[str]
	personals: Sequence[str]
	application_ids: Sequence[str | None]
	decisions: Sequence[str]
	amounts: Sequence[float]
	model_version: str
	policy_digest: str


@dataclass(frozen=True, slots=True)
class Caller:
	"""Who asks: `key_id` is of the API key, or the command's name, `person` for whom it acts.

	`request_digest` is SHA-256 of the request's body, in hexadecimal.
	"""

	key_id: str
	person: str
	request_id: str
	idempotency_key: str | None = None
	request_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
	"""What is kept; `at` is in UTC.

	`seq` counts from 1 without gaps; `subject` is the id of the record that it is about; `personal` is None where it was
	erased, or never was; `hash` is over it and the record before it.
	"""

	seq: int
	id: str
	kind: Kind
	at: datetime
	caller: str
	person: str
	subject: str | None
	public: Mapping[str, Any]
	personal: Mapping[str, Any] | None
	is_erased: bool
	hash: str
	request_id: str
	request_digest: str | None


@dataclass(frozen=True, slots=True)
class KeptBatch:
	"""What became of a batch; `ids` are of it, then of its decisions in order, none where it was kept `before`."""

	ids: Sequence[str]
	at: datetime
	before: Sequence[Record] = ()


@dataclass(frozen=True, slots=True)
class Page:
	"""Some of what was found, newest first; `next` is the next page's `after`, or None."""

	records: tuple[Record, ...]
	next: str | None


@dataclass(frozen=True, slots=True)
class Head:
	"""The last record's number and hash; noted elsewhere, it shows a cut-off end."""

	seq: int
	hash: str

	def __str__(self) -> str:
		return f"{self.seq}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Fault:
	"""The first record that does not hold, and why; its id where there is one."""

	seq: int
	id: str | None
	problem: str

	def __str__(self) -> str:
		name = f" ({self.id})" if self.id else ""
		return f"record {self.seq}{name}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Verdict:
	"""What `verify` found: `n` records hold, of which `head` is the last."""

	n: int
	head: Head
	fault: Fault | None

	@property
	def is_ok(self) -> bool:
		"""Whether all records hold."""
		return self.fault is None
