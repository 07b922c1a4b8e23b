"""The same request gets the same answer, even twice at once."""

from collections.abc import Callable, Sequence
from typing import Any

from loantap.serving.audit.errors import IdempotencyConflictError
from loantap.serving.audit.records import Caller, Record

_ASK = "SELECT caller, idempotency_key FROM records WHERE position = 0 AND idempotency_key IN "


class KeptRequests:
    """What was kept under some callers' idempotency keys; no writer comes between."""

    def __init__(
        self, cursor: Any, callers: Sequence[Caller], mark: str, find_kept: Callable[[str, str], list[Record]]
    ) -> None:
        self._kept: dict[tuple[str, str], list[Record]] = {}
        self._comes: set[tuple[str, str]] = set()
        asked = {(caller.key_id, caller.idempotency_key) for caller in callers if caller.idempotency_key is not None}
        if not asked:
            return
        marks = ", ".join([mark] * len(asked))
        for found in cursor.execute(f"{_ASK}({marks})", [key for _, key in asked]).fetchall():
            if found in asked:
                self._kept[found] = find_kept(*found)

    def find(self, caller: Caller) -> list[Record] | None:
        """What was kept for the same request, or None.

        Raises:
            IdempotencyConflictError: its key was used for another request.
        """
        if caller.idempotency_key is None:
            return None
        kept = self._kept.get((caller.key_id, caller.idempotency_key))
        if kept is not None:
            require_same(kept, caller)
        return kept

    def comes_again(self, caller: Caller) -> bool:
        """Whether the group has the key already; the commit tells what is kept."""
        if caller.idempotency_key is None:
            return False
        name = (caller.key_id, caller.idempotency_key)
        is_there = name in self._comes
        self._comes.add(name)
        return is_there


def require_same(kept: Sequence[Record], caller: Caller) -> None:
    """Raise `IdempotencyConflictError` for a key that was used for another request."""
    if kept and kept[0].request_digest != caller.request_digest:
        raise IdempotencyConflictError(
            f"idempotency key {caller.idempotency_key}",
            f"it was used for another request, on {kept[0].at:%Y-%m-%d %H:%M:%S} UTC",
            "Give each request a key of its own, and the same one only to repeat it",
        )
