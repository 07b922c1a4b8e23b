"""Kill -9 under load: the harness finds what a server forgets, decides twice or refuses."""

import os
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack, closing

import pytest

from tests.conftest import PROJECT
from tools.load.applications import SCORE_PATH
from tools.load.exchange import render_request
from tools.load.killing import Killed, kill_under_load
from tools.load.server import Server, find_port

pytestmark = pytest.mark.slow

Kill = Callable[[str], Killed]


@pytest.fixture
def kill(tmp_path):
    """Load a stand-in with a fault, and kill it."""
    log = tmp_path / "log.db"

    def read(prefix):
        ids = defaultdict(list)
        with closing(sqlite3.connect(log)) as connection:
            for key, decision in connection.execute("SELECT key, id FROM decisions"):
                assert key.startswith(prefix)
                ids[key].append(decision)
        return ids

    with ExitStack() as stack:

        def run(fault):
            port = find_port()
            options = ["--interface", "wsgi", "--factory", "--port", str(port)]
            command = [sys.executable, "-m", "granian", *options, "--blocking-threads", "1"]
            own = {"STAND_IN_LOG": str(log), "STAND_IN_FAULT": fault, "PYTHONPATH": str(PROJECT)}
            server = Server(
                [*command, "tests.tools.load.stand_in:make"],
                port,
                os.environ | own,
                "/readyz",
                tmp_path / "server.log",
            )
            stack.enter_context(server)
            requests = [render_request("POST", SCORE_PATH, {}, b"{}")]
            return kill_under_load(server, requests, f"{fault}-run", read, 1.0)

        yield run


def test_answers_that_are_not_in_the_log_are_counted(kill):
    found = kill("forgets")

    assert found.missing == found.answered > 0
    assert found.changed > 0


def test_a_decision_under_a_key_that_has_one_is_counted(kill):
    found = kill("doubles")

    assert found.missing == 0
    # Up to a hundred are sent again.
    assert found.changed == min(found.answered, 100) > 0
    assert found.twice >= found.changed


def test_a_refusal_is_counted(kill):
    assert kill("refuses").refused > 0
