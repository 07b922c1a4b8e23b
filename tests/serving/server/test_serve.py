"""`loantap-serve`: API and dashboard together, with a key that ends with them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from loantap.serving.audit.store import AuditStore
from loantap.serving.keys.keys import Keys
from tests.serving.server.running import find_port

pytestmark = pytest.mark.slow

_PATIENCE = 120.0
COMMAND = [sys.executable, "-m", "loantap.serving.commands"]


@contextmanager
def serving(project: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """The command in a project, and the file of what it says; killed where a test leaves it."""
    told = project / "serve.txt"
    environment = {
        **os.environ,
        "LOANTAP_AUDIT_URL": f"sqlite:///{project / 'serve.db'}",
        "LOANTAP_WORKERS": "1",
    }
    with (
        told.open("w") as said,
        subprocess.Popen(
            [*COMMAND, *options],
            cwd=project,
            env=environment,
            stdout=said,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process, told
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def wait_until_told(words: str, process: subprocess.Popen[str], told: Path) -> str:
    until = time.monotonic() + _PATIENCE
    while words not in (said := told.read_text()):
        assert process.poll() is None, said
        assert time.monotonic() < until, said
        time.sleep(0.1)
    return said


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM])
def test_both_answer_until_they_are_ended_and_the_key_of_the_dashboard_with_them(
    served_project: Path, ended_by: signal.Signals
) -> None:
    api, pages = find_port(), find_port()
    options = ("--port", str(api), "--dashboard-port", str(pages))
    with serving(served_project, *options) as (process, told):
        said = wait_until_told("Try ", process, told)

        assert f"http://127.0.0.1:{pages}" in said
        assert f"curl http://127.0.0.1:{api}/v1/applications/score" in said
        assert httpx.get(f"http://127.0.0.1:{api}/readyz").is_success
        assert httpx.get(f"http://127.0.0.1:{pages}/_stcore/health").text == "ok"

        process.send_signal(ended_by)
        assert process.wait(_PATIENCE) == 0
        assert "API and dashboard have ended" in told.read_text()

    for port in (api, pages):
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{port}")
    store = AuditStore.open(f"sqlite:///{served_project / 'serve.db'}")
    of_dashboard = [key for key in Keys(store).list_keys() if key.owner == "dashboard"]
    store.close()
    assert of_dashboard
    assert all(key.is_revoked for key in of_dashboard)


def test_a_port_that_is_taken_is_named_with_its_option(served_project: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with serving(served_project, "--dashboard-port", port) as (process, told):
            assert process.wait(_PATIENCE) == 1

    assert f"127.0.0.1:{port}: another program listens there" in told.read_text()
    assert "Give --dashboard-port another port" in told.read_text()
