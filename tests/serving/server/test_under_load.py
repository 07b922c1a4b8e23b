import json
import time
from itertools import cycle

import pytest

from tests.support.waiting import wait_until
from tools.load.applications import number_requests, render_scoring, simulate_applications
from tools.load.generator import ask, send
from tools.load.server import FAULTS, LoanTapApi, kill_under_load

pytestmark = pytest.mark.slow

_SMALL = {"LOANTAP_WORKERS": "2", "LOANTAP_THREADS": "64", "LOANTAP_LOG_REQUESTS": "false"}


@pytest.fixture(scope="module")
def api(served_project, tmp_path_factory):
	with LoanTapApi(served_project, tmp_path_factory.mktemp("load"), _SMALL) as started:
		yield started


@pytest.fixture(scope="module")
def asked(api):
	return render_scoring(simulate_applications(200), api.headers)


def ask_once(api, asked, prefix):
	return ask(api.port, next(number_requests(asked, prefix)))


def test_killed_under_load_no_answered_decision_is_missing_and_none_is_there_twice(api, asked):
	before = ask_once(api, asked, "crash")

	killed = kill_under_load(api, asked, "killed", 0.6)

	assert killed["answered"] > 10
	assert killed["lost"] > 0
	assert not any(killed[fault] for fault in FAULTS), killed
	again = ask_once(api, asked, "crash")
	assert (again.status, again.body) == (200, before.body)
	assert ask_once(api, asked[1:], "crash").status == 409
	assert api.read_log("crash") == {"crash-0": [json.loads(before.body)["id"]]}
	assert api.verify().is_ok


def test_too_much_load_is_refused_at_once_and_leaves_nothing_behind(api, asked):
	processes = api.list_processes()

	load = send(api.port, cycle(asked), 2.0, connections=300, rate=12_000)
	# How soon is measured by the benchmark, on a machine that does nothing else.
	wait_until(lambda: ask_once(api, asked, f"after-{time.monotonic()}").status == 200, within_s=60)
	after = send(api.port, cycle(asked), 2.0, connections=4, rate=20)

	assert load.counts.keys() <= {200, 503}
	assert load.counts[503] > 0
	# A machine that is busy with other tests may stall for longer than anybody waits.
	assert after.counts.keys() <= {200, 503}
	assert after.counts[200] > 0.8 * sum(after.counts.values())
	assert api.list_processes() == processes
	assert api.verify().is_ok
