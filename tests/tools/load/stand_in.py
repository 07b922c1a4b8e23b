"""A tiny decision service with a log, honest or not, to try the harness of kill -9 on.

`STAND_IN_LOG` names its SQLite file, `STAND_IN_FAULT` what it does wrong.
"""

import json
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Start = Callable[[str, list[tuple[str, str]]], object]


class StandIn:
    """WSGI: one decision for each idempotency key, in the log before it is answered.

    With the fault "forgets" it answers what it never commits; with "doubles" a key that
    is there already is decided anew; with "refuses" every tenth request fails.
    """

    def __init__(self, path: str, fault: str) -> None:
        self._log = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._log.execute("PRAGMA journal_mode = WAL")
        self._log.execute("CREATE TABLE IF NOT EXISTS decisions (key TEXT, id TEXT, body BLOB)")
        self._log.execute("CREATE INDEX IF NOT EXISTS by_key ON decisions (key)")
        self._fault = fault
        self._count = 0

    def __call__(self, environ: Mapping[str, Any], start: Start) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/readyz":
            return _answer(start, "200 OK", b"{}")
        self._count += 1
        if self._fault == "refuses" and self._count % 10 == 0:
            return _answer(start, "503 Service Unavailable", b"{}")
        return _answer(start, "200 OK", self._decide(environ["HTTP_IDEMPOTENCY_KEY"]))

    def _decide(self, key: str) -> bytes:
        find = "SELECT body FROM decisions WHERE key = ?"
        found = self._log.execute(find, (key,)).fetchone()
        if found and self._fault != "doubles":
            return bytes(found[0])
        decision = {"id": uuid.uuid4().hex}
        body = json.dumps(decision).encode()
        if not self._log.in_transaction:
            self._log.execute("BEGIN")
        self._log.execute("INSERT INTO decisions VALUES (?, ?, ?)", (key, decision["id"], body))
        if self._fault != "forgets":
            self._log.execute("COMMIT")
        return body


def _answer(start: Start, status: str, body: bytes) -> list[bytes]:
    start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def make() -> StandIn:
    """For the server, in its own process."""
    return StandIn(os.environ["STAND_IN_LOG"], os.environ.get("STAND_IN_FAULT", ""))
