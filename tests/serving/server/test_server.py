import re
import threading
import time
from contextlib import closing

import httpx
import pytest

from loantap.serving.audit.store import AuditStore
from loantap.serving.keys.keys import Keys
from tests.serving.server.running import SCORE, serving, start

pytestmark = pytest.mark.slow


def test_the_first_start_prints_address_and_key_once(running):
	told = running.told.read_text("utf-8")

	assert f"listens at {running.url}" in told
	assert len(re.findall(r"lt_\S+", told)) == 1
	assert running.key not in running.errors.read_text("utf-8")


def test_the_log_is_json_throughout_and_names_nobody(running):
	running.decide(application_id="nobody-17")
	time.sleep(0.5)

	lines = running.lines()
	assert any(line["event"] == "request" and line["route"] == SCORE for line in lines)
	assert "nobody-17" not in str(lines)


def test_every_process_decides_by_a_new_policy_within_a_second(running):
	policy = running.get("/v1/policy")["policy"] | {"version": "2027-01"}
	policy["rules"]["max_loan_amount"] = 1_000
	proposed = running.post("/v1/policies", json={"policy": policy})
	second = running.make_key("Second Person", "admin")
	time.sleep(1)
	activated = running.ask("POST", f"/v1/policies/{proposed['id']}/activate", second)
	assert activated.status_code == 200, activated.text
	time.sleep(1)

	# Each a connection of its own, which either process takes.
	decided = [running.decide()["policy"]["version"] for _ in range(12)]

	assert set(decided) == {"npv 2027-01"}


def test_figures_are_those_of_all_processes_together(running):
	def count():
		text = httpx.get(f"{running.url}/metrics", timeout=30).text
		found = re.search(rf'loantap_requests_total{{route="{SCORE}",status="200"}} (\S+)', text)
		return float(found[1]) if found else 0.0

	before = count()
	for _ in range(10):
		running.decide()

	assert count() == before + 10
	assert "loantap_model_fresh 1.0" in httpx.get(f"{running.url}/metrics", timeout=30).text


def test_a_request_of_no_announced_length_is_read_too(running):
	def pieces():
		yield httpx.Request("POST", running.url, json=running.example).content

	answer = running.ask("POST", SCORE, content=pieces(), headers={"Content-Type": "application/json"})

	assert answer.status_code == 200, answer.text


def test_a_stop_lets_requests_end_and_keeps_every_answer(served_project):
	audit = served_project / "stopped.db"
	running = start(served_project, "stopped", audit_url=f"sqlite:///{audit}")
	body, answered, refused = running.example, [], []

	def ask():
		with httpx.Client(headers={"Authorization": f"Bearer {running.key}"}) as client:
			while True:
				try:
					answer = client.post(f"{running.url}{SCORE}", json=body, timeout=30)
				except httpx.TransportError as error:
					refused.append(error)
					return
				answered.append(answer)

	threads = [threading.Thread(target=ask) for _ in range(4)]
	for thread in threads:
		thread.start()
	time.sleep(1)
	code = running.stop()
	for thread in threads:
		thread.join()

	assert code == 0
	assert len(answered) > 20
	assert {answer.status_code for answer in answered} == {200}
	# Who had a connection was told that it ends, or could make none; nobody waited in vain.
	assert all(not isinstance(error, httpx.ReadTimeout) for error in refused)
	with closing(AuditStore.open(f"sqlite:///{audit}")) as store:
		assert store.verify().is_ok
		assert all(store.find(answer.json()["id"]) for answer in answered)


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
	assert all(key.revoked_at for key in of_dashboard)
