"""The policy book's pages in the audit log, and what must hold before one is turned."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from loantap.policy.credit_policy import CreditPolicy, fold_name
from loantap.policy.money.cash_flows import Economics
from loantap.serving.audit.reading import list_kinds
from loantap.serving.audit.records import Caller, Entry, Kind
from loantap.serving.audit.transaction import Transaction
from loantap.serving.audit.verification import is_as_kept
from loantap.serving.errors import InvalidPolicyError, NotNowError, NotThereError, PolicyChangedError, SamePersonError
from loantap.serving.policies.entries import (
	UNAPPROVED,
	Activation,
	ActivePolicy,
	BookEntry,
	Proposal,
	State,
	read_activation,
	read_proposal,
	restore_policy,
)


@dataclass(frozen=True, slots=True)
class Pages:
	"""The book at one moment: proposals and activations by id, oldest first."""

	proposals: Mapping[str, Proposal]
	activations: Mapping[str, Activation]

	@property
	def current(self) -> Activation | None:
		"""What is in force."""
		return next(reversed(self.activations.values()), None)  # type: ignore[call-overload]

	def restore(self, activation: Activation) -> ActivePolicy:
		"""The policy as it was in force since an activation."""
		proposal = self.proposals[activation.proposal_id]
		policy, economics = restore_policy(proposal, activation)
		before = None
		if activation.returns_to is not None:
			before = self.proposals[self.activations[activation.returns_to].proposal_id].name
		generation = list(self.activations).index(activation.id) + 1
		return ActivePolicy(policy, economics, generation, proposal.id, activation.at, activation.person, before)


def read_pages(connection: Connection) -> Pages:
	"""The book as the log tells it."""
	proposals = (read_proposal(r) for r in list_kinds(connection, [Kind.POLICY_PROPOSED]))
	kinds = [Kind.POLICY_ACTIVATED, Kind.POLICY_ROLLED_BACK]
	activations = (read_activation(r) for r in list_kinds(connection, kinds))
	return Pages({p.id: p for p in proposals}, {a.id: a for a in activations})


def read_active(connection: Connection) -> ActivePolicy | None:
	"""The policy in force, or None."""
	pages = read_pages(connection)
	return None if pages.current is None else pages.restore(pages.current)


def propose(
	transaction: Transaction, pages: Pages, policy: CreditPolicy, economics: Economics, caller: Caller
) -> Proposal:
	"""Keep a proposal; the same one of a person and key only once while it waits."""
	public = {
		"policy": policy.model_dump(mode="json", exclude=set(UNAPPROVED)),
		"economics": economics.model_dump(mode="json"),
	}
	same = (*public.values(), caller.person, caller.key_id)
	activated = {activation.proposal_id for activation in pages.activations.values()}
	for one in pages.proposals.values():
		is_same = (one.policy, one.economics, one.person, one.key_id) == same
		if is_same and one.id not in activated:
			return one
	return read_proposal(transaction.append([Entry(Kind.POLICY_PROPOSED, public)], caller)[0])


def put_in_force(
	transaction: Transaction, pages: Pages, proposal: Proposal, policy: CreditPolicy, caller: Caller
) -> ActivePolicy:
	"""Keep that an approved policy is in force from now on."""
	current = pages.current
	public = {
		"version": policy.name,
		"digest": policy.digest,
		"approved_by": policy.approved_by,
		"returns_to": None if current is None else current.id,
	}
	entry = Entry(Kind.POLICY_ACTIVATED, public, None, proposal.id)
	return _turn_page(transaction, pages, proposal, entry, caller)


def restore(
	transaction: Transaction, pages: Pages, current: Activation, target: Activation, caller: Caller
) -> ActivePolicy:
	"""Keep that a policy is in force again."""
	proposal = pages.proposals[target.proposal_id]
	public = {
		"version": proposal.name,
		"digest": target.digest,
		"approved_by": target.approved_by,
		"returns_to": target.returns_to,
		"restores": target.id,
		"replaces": current.id,
	}
	entry = Entry(Kind.POLICY_ROLLED_BACK, public, None, proposal.id)
	return _turn_page(transaction, pages, proposal, entry, caller)


def _turn_page(
	transaction: Transaction, pages: Pages, proposal: Proposal, entry: Entry, caller: Caller
) -> ActivePolicy:
	activation = read_activation(transaction.append([entry], caller)[0])
	return Pages({**pages.proposals, proposal.id: proposal}, {**pages.activations, activation.id: activation}).restore(
		activation
	)


def tell(proposal: Proposal, last: Activation | None, current: Activation | None) -> BookEntry:
	"""A proposal and what became of it."""
	if last is None:
		return BookEntry(proposal, State.PROPOSED, None, None, None)
	is_current = current is not None and current.id == last.id
	state = State.IN_FORCE if is_current else State.PAST
	return BookEntry(proposal, state, last.at, last.approved_by, last.digest)


def require_proposal(pages: Pages, proposal_id: str) -> Proposal:
	"""The proposal of an id; refuse one that is not there."""
	if proposal_id not in pages.proposals:
		raise NotThereError(f"policy {proposal_id}", "there is no proposal of this id", "List the policies")
	return pages.proposals[proposal_id]


def require_as_proposed(connection: Connection, proposal: Proposal) -> None:
	"""Refuse a proposal whose record was changed."""
	if not is_as_kept(connection, proposal.id):
		raise PolicyChangedError(
			f"policy {proposal.name}",
			f"its record was changed after {proposal.person} proposed it",
			"Run loantap-audit verify, and restore the log from a backup",
		)


def require_another(proposal: Proposal, caller: Caller) -> None:
	"""Refuse who proposed or wrote it, and the key that proposed it."""
	person = fold_name(caller.person)
	for name, did in ((proposal.person, "proposed"), (str(proposal.policy["author"]), "wrote")):
		if fold_name(name) == person:
			raise SamePersonError(f"policy {proposal.name}", f"{name} {did} it", "Have another person activate it")
	if caller.key_id == proposal.key_id:
		raise SamePersonError(
			f"policy {proposal.name}",
			"it was proposed with this key",
			"Have another person activate it, with a key of that person's",
		)


def require_new_version(pages: Pages, policy: CreditPolicy) -> None:
	"""Refuse another content under a version that was in force, approval apart."""
	for proposal_id in {activation.proposal_id for activation in pages.activations.values()}:
		known = pages.proposals[proposal_id]
		if known.name == policy.name and known.try_out()[0].digest != policy.digest:
			raise InvalidPolicyError(
				"policy.version", f"{policy.name} was in force with another content", "Give it a new version"
			)


def require_left(pages: Pages, current: Activation | None, leaving: str | None) -> None:
	"""Refuse to roll back from a policy not in force: it may be done already."""
	if current is not None and leaving not in {None, current.proposal_id}:
		raise NotNowError(
			f"policy {leaving}",
			f"it is not in force: {pages.proposals[current.proposal_id].name} is, by "
			f"{current.person} since {current.at:%Y-%m-%d %H:%M:%S} UTC",
			"Nothing is to be done, unless that one is to go too",
		)


def require_due(pages: Pages, proposal: Proposal, today: date) -> None:
	"""Refuse a policy that takes effect later, has expired or is in force."""
	current = pages.current
	if proposal.effective_from > today:
		raise NotNowError(
			f"policy {proposal.name}",
			f"it takes effect on {proposal.effective_from}, after {today}",
			f"Activate it from {proposal.effective_from} on",
		)
	if current is None:
		return
	if current.proposal_id == proposal.id:
		raise NotNowError(f"policy {proposal.name}", "it is in force already", "Nothing is to be done")
	in_force = pages.proposals[current.proposal_id]
	if proposal.effective_from < in_force.effective_from:
		raise NotNowError(
			f"policy {proposal.name}",
			f"it has expired: it was to take effect on {proposal.effective_from}, and "
			f"{in_force.name}, in force, on {in_force.effective_from}",
			"Propose it with a later day, or roll back",
		)
