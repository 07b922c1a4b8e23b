"""The same request gets the same answer, also where it comes twice at once."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from loantap.serving.audit.errors import IdempotencyConflictError
from loantap.serving.audit.reading import find_idempotent
from loantap.serving.audit.records import Caller, Record
from loantap.serving.audit.tables import records


class KeptRequests:
    """What was kept earlier under the idempotency keys of a group of callers.

    Args:
        connection: of the only writer, so that nobody keeps anything meanwhile.
        callers: of the group.
    """

    def __init__(self, connection: Connection, callers: Sequence[Caller]) -> None:
        self._kept: dict[tuple[str, str], list[Record]] = {}
        asked = {
            (caller.key_id, caller.idempotency_key)
            for caller in callers
            if caller.idempotency_key is not None
        }
        if not asked:
            return
        known = select(records.c.caller, records.c.idempotency_key).where(
            records.c.idempotency_key.in_([key for _, key in asked]), records.c.position == 0
        )
        for key_id, key in connection.execute(known).all():
            if (key_id, key) in asked:
                self._kept[key_id, key] = find_idempotent(connection, key_id, key)

    def find(self, caller: Caller) -> list[Record] | None:
        """What was kept for the same request; None where it is the first.

        Raises:
            IdempotencyConflictError: its key was used for another request.
        """
        if caller.idempotency_key is None:
            return None
        kept = self._kept.get((caller.key_id, caller.idempotency_key))
        if kept is not None and kept[0].request_digest != caller.request_digest:
            raise IdempotencyConflictError(
                f"idempotency key {caller.idempotency_key}",
                f"it was used for another request, on {kept[0].at:%Y-%m-%d %H:%M:%S} UTC",
                "Give each request a key of its own, and the same one only to repeat it",
            )
        return kept

    def add(self, caller: Caller, kept: list[Record]) -> None:
        """Note what is being kept, for a request of the same group that repeats it."""
        if caller.idempotency_key is not None:
            self._kept[caller.key_id, caller.idempotency_key] = kept
