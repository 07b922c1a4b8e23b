"""The policy book: propose, activate with four eyes, roll back."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from loantap.policy.credit_policy import CreditPolicy, require_as_approved, require_in_force
from loantap.policy.decisions import Decider, make_decider
from loantap.policy.money.cash_flows import Economics
from loantap.portfolio.errors import InputError
from loantap.serving.audit.records import PREFIXES, Caller, Kind
from loantap.serving.audit.store import AuditStore, Polled
from loantap.serving.audit.transaction import Transaction
from loantap.serving.errors import InvalidPolicyError, NotNowError
from loantap.serving.policies.entries import NOBODY_YET, UNAPPROVED, ActivePolicy, BookEntry, Proposal, build_policy
from loantap.serving.policies.pages import (
	propose,
	put_in_force,
	read_active,
	read_pages,
	require_another,
	require_as_proposed,
	require_due,
	require_left,
	require_new_version,
	require_proposal,
	restore,
	tell,
)

_SHOWN_DIGITS = 12


def _find_today() -> date:
	return datetime.now(UTC).date()


class PolicyBook:
	"""The policies of one audit log; all processes see a change within a second.

	`find_today` gives the day in UTC. Methods raise `NotThereError` where there is no such proposal, and
	`PolicyChangedError` where a policy is not what was proposed or approved.
	"""

	def __init__(self, store: AuditStore, find_today: Callable[[], date] = _find_today) -> None:
		self._store = store
		self._find_today = find_today
		self._active = Polled(store, PREFIXES[Kind.POLICY_ACTIVATED], read_active)

	def active(self) -> ActivePolicy | None:
		"""The policy in force, or None; `AuditUnavailableError` where the log cannot be read."""
		return self._active.get()

	def read_generation(self) -> int:
		"""Changes with the policy in force; 0 before the first."""
		active = self.active()
		return active.generation if active else 0

	def find_active(self) -> Decider:
		"""What decides now; `InputError` where no policy was in force, or it was changed since."""
		active = self.active()
		if active is None:
			raise InputError(
				"policy book",
				"no policy is in force",
				"Start loantap-api, which enters the policy of the parameter files, or have one proposed and activated",
			)
		return make_decider(active.policy, active.economics)

	def find_decider(self, digest: str) -> Decider | None:
		"""What decided under a policy, by its digest's first digits, or None."""
		found = self.find_by_digest(digest)
		return None if found is None else make_decider(found.policy, found.economics)

	def enter(self, policy: CreditPolicy, economics: Economics, caller: Caller) -> ActivePolicy:
		"""Put the configured policy in force where none ever was; what is in force then.

		`InputError` where the policy is not as it was approved, or takes effect later.
		"""
		found = self.active()
		if found is not None:
			return found
		require_as_approved(policy, economics)
		require_in_force(policy, self._find_today())

		def act(transaction: Transaction) -> ActivePolicy:
			pages = read_pages(transaction.connection)
			if pages.current is not None:
				return pages.restore(pages.current)
			writer = replace(caller, person=policy.author)
			proposal = propose(transaction, pages, policy, economics, writer)
			return put_in_force(transaction, pages, proposal, policy, caller)

		return self._turn(act)

	def propose(self, content: Mapping[str, Any], caller: Caller) -> Proposal:
		"""Propose a policy; who proposes the same one again gets the proposal that waits.

		In `content`, `policy` has no approval and digest, and needs no author; `economics` are by default those in force.
		`InvalidPolicyError` where it is none, or its version was in force with another content.
		"""
		written, economics = self._read_content(content, caller)
		# As if approved: what would be refused then is refused now.
		policy, assumed = build_policy(written, economics, NOBODY_YET)

		def act(transaction: Transaction) -> Proposal:
			pages = read_pages(transaction.connection)
			require_new_version(pages, policy)
			return propose(transaction, pages, policy, assumed, caller)

		return self._store.change(act)

	def activate(self, proposal_id: str, caller: Caller) -> ActivePolicy:
		"""Approve a proposal and put it in force, as another person than proposed or wrote it.

		`SamePersonError` where the caller did; `NotNowError` where it takes effect later, has expired, or is in force;
		`InvalidPolicyError` where its version was in force with another content.
		"""

		def act(transaction: Transaction) -> ActivePolicy:
			pages = read_pages(transaction.connection)
			proposal = require_proposal(pages, proposal_id)
			require_as_proposed(transaction.connection, proposal)
			require_another(proposal, caller)
			require_due(pages, proposal, self._find_today())
			require_new_version(pages, proposal.try_out()[0])
			policy, _ = proposal.approve(caller.person)
			return put_in_force(transaction, pages, proposal, policy, caller)

		return self._turn(act)

	def roll_back(self, caller: Caller, leaving: str | None = None) -> ActivePolicy:
		"""Put the policy before the current one in force again.

		`leaving` is the id of the current one as the caller knows it: a repeated call is refused. `NotNowError` where
		another one is in force, or none was before.
		"""

		def act(transaction: Transaction) -> ActivePolicy:
			pages = read_pages(transaction.connection)
			current = pages.current
			require_left(pages, current, leaving)
			if current is None or current.returns_to is None:
				raise NotNowError("policy in force", "there was none before it", "Propose one and activate it")
			target = pages.activations[current.returns_to]
			pages.restore(target)  # refuses one that was changed
			return restore(transaction, pages, current, target, caller)

		return self._turn(act)

	def history(self) -> list[BookEntry]:
		"""All proposals, newest first, and what became of them."""
		pages = self._store.read(read_pages)
		last = {activation.proposal_id: activation for activation in pages.activations.values()}
		current = pages.current
		return [
			tell(proposal, last.get(proposal.id), current)
			for proposal in reversed(pages.proposals.values())  # type: ignore[call-overload]
		]

	def find_proposal(self, proposal_id: str) -> Proposal:
		"""A proposal."""
		return require_proposal(self._store.read(read_pages), proposal_id)

	def find_by_digest(self, digest: str) -> ActivePolicy | None:
		"""The policy with a digest, or its first digits, that ever was in force, or None."""
		pages = self._store.read(read_pages)
		for activation in pages.activations.values():
			if len(digest) >= _SHOWN_DIGITS and activation.digest.startswith(digest):
				return pages.restore(activation)
		return None

	def _turn(self, act: Callable[[Transaction], ActivePolicy]) -> ActivePolicy:
		in_force = self._store.change(act)
		self._active.forget()
		return in_force

	def _read_content(self, content: Mapping[str, Any], caller: Caller) -> tuple[dict[str, Any], Mapping[str, Any]]:
		unknown = content.keys() - {"policy", "economics"}
		policy, economics = content.get("policy"), content.get("economics")
		if unknown or not isinstance(policy, Mapping):
			raise InvalidPolicyError(
				"policy",
				"it is missing, or beside it is something unknown",
				"Give policy and, where the assumptions change too, economics",
			)
		given = UNAPPROVED & policy.keys()
		if given:
			raise InvalidPolicyError(f"policy.{min(given)}", "only an activation gives it", "Leave it out")
		if economics is None:
			active = self.active()
			economics = None if active is None else active.economics.model_dump(mode="json")
		if not isinstance(economics, Mapping):
			raise InvalidPolicyError("economics", "it is missing", "Give the assumptions")
		return {"author": caller.person, **policy}, economics
