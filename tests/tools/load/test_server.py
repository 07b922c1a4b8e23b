"""A server in processes of its own, watched and killed."""

import os
import sys
from time import sleep

import pytest

from tools.load.exchange import render_request
from tools.load.generator import LOST, Sending, send
from tools.load.server import Server, Watch, find_port, kill_after

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
    broken = Server(
        [sys.executable, "-c", "raise SystemExit('no model')"],
        find_port(),
        os.environ,
        "/",
        tmp_path / "log",
    )
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
