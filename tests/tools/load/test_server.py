"""A server in processes of its own, watched and killed."""

import os
import subprocess
import sys
import time
from time import sleep

import pytest

from tools.load import server as server_module
from tools.load.exchange import render_request
from tools.load.generator import LOST, Sending, send
from tools.load.server import OtherWork, Server, Watch, find_port, kill_after, measure_machine

pytestmark = pytest.mark.slow


@pytest.fixture
def files(tmp_path):
    """Files of a folder, served; not started."""
    port = find_port()
    (tmp_path / "ready").write_text("yes")
    options = ["--bind", "127.0.0.1", "--protocol", "HTTP/1.1"]
    command = [sys.executable, "-m", "http.server", str(port), *options]
    return Server(command, port, os.environ, "/ready", tmp_path / "log", tmp_path)


def test_a_server_is_ready_measured_and_ended(files):
    with files, Watch(files, 0.05) as watch:
        sleep(0.3)
        assert files.is_ready()
        assert files.measure_cpu() > 0
    assert 0 < files.seconds_to_ready < 20
    assert watch.largest > 5
    assert watch.compare() < 1
    assert not files.is_running()
    assert not files.is_ready()


def test_a_server_that_ends_at_once_says_why(tmp_path):
    command = [sys.executable, "-c", "raise SystemExit('no model')"]
    broken = Server(command, find_port(), os.environ, "/", tmp_path / "log")
    with pytest.raises(RuntimeError, match="no model"):
        broken.start()


def test_a_killed_server_can_start_again(files):
    with files, kill_after(files, 0.2) as happened:
        page = iter([render_request("GET", "/ready")] * 1_000_000)
        load = send(files.port, page, Sending(10, 2), until=happened.is_set)
        assert happened.is_set()
        assert set(load.counts) <= {200, LOST}
        files.start()
        assert files.is_ready()


class Busy(Server):
    """A server that keeps half a core busy, or so it says."""

    def measure_cpu(self):
        return time.perf_counter() / 2


def test_work_of_others_is_neither_ours_nor_the_servers(tmp_path, monkeypatch):
    def tell_machine():
        """We, and two cores besides."""
        return time.process_time() + 2 * time.perf_counter()

    monkeypatch.setattr(server_module, "measure_machine", tell_machine)
    busy = Busy([], 0, {}, "/", tmp_path / "log")
    with OtherWork([]) as all_others, OtherWork([busy]) as others:
        end = time.process_time() + 0.3
        while time.process_time() < end:
            pass
    assert all_others.cores == pytest.approx(2, abs=0.2)
    assert others.cores == pytest.approx(1.5, abs=0.2)


def test_the_machine_works_where_any_process_does():
    before = measure_machine()
    compute = "import time\nwhile time.process_time() < 0.5: pass"
    subprocess.run([sys.executable, "-c", compute], check=True)

    assert measure_machine() - before > 0.45
