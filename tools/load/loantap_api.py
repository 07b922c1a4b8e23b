"""`loantap-api` on a project, with an audit log of its own, as load finds it."""

import os
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from loantap.serving.audit.records import Caller, Verdict
from loantap.serving.audit.store import AuditStore
from loantap.serving.keys.keys import Keys, Scope
from tools.load.server import Server
from tools.sources.ports import free_port

_READ_KEYS: Final = (
    "SELECT idempotency_key, id FROM records WHERE kind = 'decision' AND idempotency_key >= ? AND idempotency_key < ?"
)
_REQUESTS_A_MINUTE: Final = 10_000_000
_WHO: Final = Caller("load", "load", "load")


class LoanTapApi:
    """A server, not started, its log, and headers of a caller who may score and read."""

    def __init__(self, project: Path, folder: Path, settings: Mapping[str, str]) -> None:
        self._log = folder / "audit.db"
        self._url = f"sqlite:///{self._log}"
        port = free_port()
        own = {"LOANTAP_AUDIT_URL": self._url, "LOANTAP_PORT": str(port)}
        command = [sys.executable, "-m", "loantap.serving.api.commands"]
        environment = os.environ | own | dict(settings)
        self.server = Server(command, port, environment, folder / "api.log", project)
        with closing(AuditStore.open(self._url)) as store:
            scopes = (Scope.SCORE, Scope.READ)
            _, key = Keys(store).create("load", scopes, _WHO, _REQUESTS_A_MINUTE)
        self.headers = {"Authorization": f"Bearer {key}"}

    def read_log(self, prefix: str) -> dict[str, list[str]]:
        """The ids of the decisions under each idempotency key with a prefix."""
        ids: dict[str, list[str]] = defaultdict(list)
        with closing(sqlite3.connect(f"file:{self._log}?mode=ro", uri=True)) as connection:
            for key, decision in connection.execute(_READ_KEYS, (f"{prefix}-", f"{prefix}.")):
                ids[key].append(decision)
        return ids

    def verify(self) -> Verdict:
        """Whether the chain of the log holds."""
        with closing(AuditStore.open(self._url)) as store:
            return store.verify()
