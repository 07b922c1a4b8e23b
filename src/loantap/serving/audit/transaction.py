"""One transaction of the only writer: records are numbered, chained and inserted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table

from loantap.serving.audit import tables
from loantap.serving.audit.chain import GENESIS, IdMaker, hash_record, write_time
from loantap.serving.audit.drafts import Draft, find_amount, prepare, require_caller
from loantap.serving.audit.records import PREFIXES, Caller, Entry, Kind, Record

REFER, OPEN = "refer", "open"
_LAST = "SELECT seq, id, hash FROM records ORDER BY seq DESC LIMIT 1"


class Transaction:
    """Keeps records at the end of the chain.

    Args:
        connection: of the writer, in a transaction that keeps other writers out.

    Attributes:
        connection: the same, for what belongs to the records: a case, say.
        now: time of everything that is kept in it.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.now = datetime.now(UTC)
        last = connection.exec_driver_sql(_LAST).first()
        self._seq: int = last[0] if last else 0
        self._last_id: str | None = last[1] if last else None
        self._hash: str = last[2] if last else GENESIS
        self._rows: dict[str, list[tuple[Any, ...]]] = {"records": [], "personal": [], "cases": []}

    def append(self, entries: Sequence[Entry], caller: Caller) -> list[Record]:
        """Keep entries; they are there when the transaction is committed.

        Raises:
            InputError: something in them cannot be kept.
        """
        require_caller(caller)
        return self.keep(prepare(entries), caller)

    def keep(self, drafts: Sequence[Draft], caller: Caller) -> list[Record]:
        """The same for entries that are prepared."""
        ids = IdMaker(self.now, self._last_id, len(drafts))
        at = write_time(self.now)
        return [
            self._keep_one(draft, caller, ids, at, position)
            for position, draft in enumerate(drafts)
        ]

    def _keep_one(
        self, draft: Draft, caller: Caller, ids: IdMaker, at: str, position: int
    ) -> Record:
        entry, rows = draft.entry, self._rows
        seq = self._seq + 1
        record_id = ids.make(PREFIXES[entry.kind], seq)
        columns = (
            seq, record_id, str(entry.kind), at, caller.key_id, caller.person, entry.subject,
            caller.request_id, caller.idempotency_key, position, caller.request_digest,
            draft.decision, draft.model_version, draft.policy_digest, draft.public, draft.digest,
            self._hash,
        )  # fmt: skip
        hashed = hash_record(columns)
        rows["records"].append((*columns, hashed))
        if draft.content is not None:
            rows["personal"].append((seq, draft.salt, draft.content, draft.application_id))
        if entry.kind is Kind.DECISION and draft.decision == REFER:
            rows["cases"].append((seq, record_id, OPEN, find_amount(entry.public), at))
        self._seq, self._last_id, self._hash = seq, record_id, hashed
        return Record(
            seq, record_id, entry.kind, self.now, caller.key_id, caller.person, entry.subject,
            dict(entry.public), None if entry.personal is None else dict(entry.personal), False,
            hashed, caller.request_id, caller.request_digest,
        )  # fmt: skip

    def flush(self) -> None:
        """Insert what was kept. SQLAlchemy's own insert would cost as much as the rest together."""
        style = self.connection.dialect.paramstyle
        for name, rows in self._rows.items():
            if rows:
                self.connection.exec_driver_sql(_INSERTS[style][name], rows)
                rows.clear()


def _write_insert(table: Table, width: int, mark: str) -> str:
    names = [column.name for column in table.columns][:width]
    marks = ", ".join([mark] * width)
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608


_WIDTHS = ((tables.records, 18), (tables.personal, 4), (tables.cases, 5))
_INSERTS = {
    style: {table.name: _write_insert(table, width, mark) for table, width in _WIDTHS}
    for style, mark in (("qmark", "?"), ("pyformat", "%s"), ("format", "%s"))
}
