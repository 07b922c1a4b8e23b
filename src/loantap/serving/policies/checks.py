"""What must hold of a proposal before it is put in force."""

from datetime import date

from sqlalchemy import Connection

from loantap.policy.credit_policy import CreditPolicy, fold_name
from loantap.serving.audit.records import Caller
from loantap.serving.audit.verification import is_as_kept
from loantap.serving.errors import NotNowError, NotThereError
from loantap.serving.policies.entries import Activation, Proposal
from loantap.serving.policies.errors import InvalidPolicyError, PolicyChangedError, SamePersonError
from loantap.serving.policies.pages import Pages


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
