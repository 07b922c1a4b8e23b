"""Policies as the audit log tells them: proposals and activations."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from loantap.policy.credit_policy import CreditPolicy, digest_policy, require_as_approved
from loantap.policy.money.cash_flows import Economics
from loantap.portfolio.errors import InputError
from loantap.serving.audit.records import Record
from loantap.serving.errors import InvalidPolicyError, PolicyChangedError

UNAPPROVED = frozenset({"approved_by", "digest"})
# Before anybody approved.
NOBODY_YET = "(nobody yet)"


class State(StrEnum):
	"""How far a policy is."""

	PROPOSED = "proposed"
	IN_FORCE = "in force"
	PAST = "past"


@dataclass(frozen=True, slots=True)
class Proposal:
	"""What somebody proposes, with the key `key_id`: a policy without approval and digest, and assumptions."""

	id: str
	at: datetime
	person: str
	key_id: str
	policy: Mapping[str, Any]
	economics: Mapping[str, Any]

	@property
	def name(self) -> str:
		"""Id and version of the policy."""
		return f"{self.policy['id']} {self.policy['version']}"

	@property
	def effective_from(self) -> date:
		"""Day from which it may decide."""
		return date.fromisoformat(self.policy["effective_from"])

	def approve(self, approver: str) -> tuple[CreditPolicy, Economics]:
		"""The policy as a second person approves it, with its digest, or `InvalidPolicyError`."""
		return build_policy(self.policy, self.economics, approver)

	def try_out(self) -> tuple[CreditPolicy, Economics]:
		"""The policy as it would decide, approved by nobody."""
		return self.approve(NOBODY_YET)


@dataclass(frozen=True, slots=True)
class Activation:
	"""A policy that was put in force; `digest` as approved.

	Rolling back restores the activation `returns_to`.
	"""

	id: str
	at: datetime
	person: str
	proposal_id: str
	digest: str
	approved_by: str
	returns_to: str | None


@dataclass(frozen=True, slots=True)
class ActivePolicy:
	"""A policy that is, or was, in force; each change has the next `generation`, from 1.

	`activated_by` may have rolled back to it; `can_roll_back_to` is a name.
	"""

	policy: CreditPolicy
	economics: Economics
	generation: int
	proposal_id: str
	activated_at: datetime
	activated_by: str
	can_roll_back_to: str | None


@dataclass(frozen=True, slots=True)
class BookEntry:
	"""A proposal: waiting, in force or past, with its last activation, if any."""

	proposal: Proposal
	state: State
	activated_at: datetime | None
	approved_by: str | None
	digest: str | None


def build_policy(
	written: Mapping[str, Any], economics: Mapping[str, Any], approver: str
) -> tuple[CreditPolicy, Economics]:
	"""A policy of its fields, as a second person approves it.

	`InvalidPolicyError` for a field missing, unknown or wrong, or where the approver is the author.
	"""
	assumed = _build_economics(economics)
	fields = {**written, "approved_by": approver, "digest": None}
	try:
		policy = CreditPolicy.model_validate(fields)
		digest = digest_policy(policy, policy.find_scenario(assumed))
	except ValidationError as error:
		raise _explain("policy", error) from error
	except InputError as error:
		raise InvalidPolicyError("policy.scenario", error.problem, error.remedy) from error
	return policy.model_copy(update={"digest": digest}), assumed


def _build_economics(written: Mapping[str, Any]) -> Economics:
	try:
		return Economics.model_validate(written)
	except ValidationError as error:
		raise _explain("economics", error) from error


def _explain(group: str, error: ValidationError) -> InvalidPolicyError:
	first = error.errors(include_url=False)[0]
	where = ".".join([group, *(str(part) for part in first["loc"])])
	return InvalidPolicyError(where, first["msg"].removeprefix("Value error, "), "Change it and propose again")


def restore_policy(proposal: Proposal, activation: Activation) -> tuple[CreditPolicy, Economics]:
	"""The policy as it was in force; `PolicyChangedError` unless it is the approved one."""
	written = {**proposal.policy, "approved_by": activation.approved_by, "digest": activation.digest}
	try:
		policy = CreditPolicy.model_validate(written)
		economics = Economics.model_validate(proposal.economics)
		require_as_approved(policy, economics)
	except (ValidationError, InputError) as error:
		raise PolicyChangedError(
			f"policy {proposal.name}",
			f"what the log holds is not what {activation.approved_by} approved",
			"Run loantap-audit verify, and restore the log from a backup",
		) from error
	return policy, economics


def read_proposal(record: Record) -> Proposal:
	"""A proposal of its record."""
	public = record.public
	return Proposal(record.id, record.at, record.person, record.caller, public["policy"], public["economics"])


def read_activation(record: Record) -> Activation:
	"""An activation of its record."""
	public = record.public
	return Activation(
		record.id,
		record.at,
		record.person,
		str(record.subject),
		public["digest"],
		public["approved_by"],
		public["returns_to"],
	)
