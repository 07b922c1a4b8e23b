"""The policy of the parameter files, as the desk needs it."""

from __future__ import annotations

from loantap.policy.decisions import Decider, make_decider
from loantap.serving.configured import Configured


class ConfiguredBook:
    """A book of one policy.

    Args:
        configured: the parameter files.
    """

    def __init__(self, configured: Configured) -> None:
        self._decider = make_decider(configured.policy, configured.economics)

    def read_generation(self) -> int:
        """See `PolicyBook`."""
        return 0

    def find_active(self) -> Decider:
        """See `PolicyBook`."""
        return self._decider

    def find_decider(self, digest: str) -> Decider | None:
        """See `PolicyBook`."""
        return self._decider if self._decider.policy.short_digest == digest else None
