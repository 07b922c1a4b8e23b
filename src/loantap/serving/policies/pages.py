"""The policy book's pages in the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from loantap.policy.credit_policy import CreditPolicy
from loantap.policy.money.scenarios import Economics
from loantap.serving.audit.reading import list_kinds
from loantap.serving.audit.records import Caller, Entry, Kind
from loantap.serving.audit.transaction import Transaction
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
