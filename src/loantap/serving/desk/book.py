"""The policy book of the audit log, as the desk needs it."""

from loantap.policy.decisions import Decider, make_decider
from loantap.portfolio.errors import InputError
from loantap.serving.policies.book import PolicyBook
from loantap.serving.policies.entries import ActivePolicy


class Deciders:
    """What decides under the policies of a book."""

    def __init__(self, book: PolicyBook) -> None:
        self._book = book

    def read_generation(self) -> int:
        """Changes with the policy in force; 0 before the first."""
        active = self._book.active()
        return active.generation if active else 0

    def find_active(self) -> Decider:
        """What decides now; `InputError` where no policy was in force, or it was changed since."""
        active = self._book.active()
        if active is None:
            raise InputError(
                "policy book", "no policy is in force", "Start loantap-api, which enters the "
                "policy of the parameter files, or have one proposed and activated",
            )  # fmt: skip
        return _make(active)

    def find_decider(self, digest: str) -> Decider | None:
        """What decided under a policy, by its digest's first digits, or None."""
        found = self._book.find_by_digest(digest)
        return None if found is None else _make(found)


def _make(active: ActivePolicy) -> Decider:
    return make_decider(active.policy, active.economics)
