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
