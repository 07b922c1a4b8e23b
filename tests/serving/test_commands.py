"""What `loantap-api` and `loantap-serve` refuse before anything is served."""

import signal
import socket
import sys
from contextlib import closing

import pytest
from click.testing import CliRunner

from loantap.portfolio.errors import InputError
from loantap.serving import commands
from loantap.serving.api.commands import main as serve_api


@pytest.fixture(autouse=True)
def _leave_signals_alone(monkeypatch):
  monkeypatch.setattr(signal, "signal", lambda *_: None)


def test_a_setting_that_cannot_be_used_ends_the_api_with_the_reason(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  ended = CliRunner().invoke(serve_api, env={"LOANTAP_WORKERS": "none"})

  assert ended.exit_code == 1
  assert "LOANTAP_WORKERS=none" in ended.output


@pytest.mark.parametrize("option", ["--port", "--dashboard-port"])
def test_a_port_that_is_taken_is_named_with_its_option(option, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  with closing(socket.socket()) as taken, closing(socket.socket()) as other:
    for one in (taken, other):
      one.bind(("127.0.0.1", 0))
    taken.listen()
    ports = {"--port": str(other.getsockname()[1]), option: str(taken.getsockname()[1])}
    other.close()
    ended = CliRunner().invoke(commands.main, [word for pair in ports.items() for word in pair])

  assert ended.exit_code == 1
  assert "another program listens there" in ended.output
  assert f"Give {option} another port" in ended.output


def test_a_server_that_ends_as_it_begins_is_not_waited_for():
  with commands._running([sys.executable, "-c", ""], {}) as server:
    server.wait(30)
    with pytest.raises(InputError, match="a server ended as it began"):
      commands._wait_until_ready("http://127.0.0.1:9/readyz", [server])


def test_a_server_that_still_runs_is_ended_with_the_command():
  with commands._running([sys.executable, "-c", "import time; time.sleep(60)"], {}) as server:
    assert server.poll() is None

  assert server.returncode == -signal.SIGTERM
