import socket
from contextlib import closing

import httpx
import pytest

from loantap.serving.audit.store import AuditStore
from loantap.serving.keys.keys import Keys
from tests.serving.server.running import serving

pytestmark = pytest.mark.slow


def test_both_answer_until_they_are_ended_and_the_key_of_the_dashboard_with_them(served_project, tmp_path):
    """Ended as `kill` ends it; the tests in a browser end it as Ctrl-C does."""
    with serving(served_project, tmp_path) as running:
        said = running.wait_until_told("Try ")

        assert running.pages in said
        assert f"curl {running.url}/v1/applications/score" in said
        assert httpx.get(f"{running.url}/readyz").is_success
        assert httpx.get(f"{running.pages}/_stcore/health").text == "ok"
        assert "Python threads" not in running.errors.read_text("utf-8")

        assert running.stop() == 0
        assert "API and dashboard have ended" in running.told.read_text()

    for url in (running.url, running.pages):
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)
    with closing(AuditStore.open(f"sqlite:///{tmp_path / 'serve.db'}")) as store:
        of_dashboard = [key for key in Keys(store).list_keys() if key.owner == "dashboard"]
    assert of_dashboard
    assert all(key.is_revoked for key in of_dashboard)


def test_a_port_that_is_taken_is_named_with_its_option(served_project, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        with serving(served_project, tmp_path, port) as running:
            assert running.process.wait(120) == 1

    told = running.told.read_text()
    assert f"127.0.0.1:{port}: another program listens there" in told
    assert "Give --dashboard-port another port" in told
