import json
import time
from itertools import cycle

import pytest

from tools.load.applications import number_requests, render_bodies, render_scoring, simulate_applications
from tools.load.exchange import ask
from tools.load.generator import Sending, send
from tools.load.killing import kill_under_load
from tools.load.loantap_api import LoanTapApi

pytestmark = pytest.mark.slow

_SMALL = {"LOANTAP_WORKERS": "2", "LOANTAP_THREADS": "64", "LOANTAP_LOG_REQUESTS": "false"}


@pytest.fixture(scope="module")
def api(served_project, tmp_path_factory):
    loaded = LoanTapApi(served_project, tmp_path_factory.mktemp("load"), _SMALL)
    with loaded.server:
        yield loaded


@pytest.fixture(scope="module")
def asked(api):
    return render_scoring(render_bodies(simulate_applications(200)), api.headers)


def ask_once(api, asked, prefix):
    return ask(api.server.port, next(number_requests(asked, prefix)))


def wait_until_answered(api, asked):
    """How soon is measured by the benchmark, on a machine that does nothing else."""
    until = time.monotonic() + 60
    while ask_once(api, asked, f"after-{time.monotonic()}").status != 200:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_killed_under_load_no_answered_decision_is_missing_and_none_is_there_twice(api, asked):
    before = ask_once(api, asked, "crash")

    killed = kill_under_load(api.server, asked, "killed", api.read_log, 0.6)

    assert killed.answered > 10
    assert killed.lost > 0
    assert killed.faults == 0, killed
    again = ask_once(api, asked, "crash")
    assert (again.status, again.body) == (200, before.body)
    assert ask_once(api, asked[1:], "crash").status == 409
    assert api.read_log("crash") == {"crash-0": [json.loads(before.body)["id"]]}
    assert api.verify().is_ok


def test_too_much_load_is_refused_at_once_and_leaves_nothing_behind(api, asked):
    processes = api.server.list_processes()
    too_much = Sending(2.0, connections=300, rate=12_000)

    load = send(api.server.port, cycle(asked), too_much)
    wait_until_answered(api, asked)
    after = send(api.server.port, cycle(asked), Sending(2.0, connections=4, rate=20))

    assert load.counts.keys() <= {200, 503}
    assert load.counts[503] > 0
    # A machine that is busy with other tests may stall for longer than anybody waits.
    assert after.counts.keys() <= {200, 503}
    assert after.counts[200] > 0.8 * sum(after.counts.values())
    assert api.server.list_processes() == processes
    assert api.verify().is_ok
