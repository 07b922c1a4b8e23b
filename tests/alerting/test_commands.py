import os
from datetime import date, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy.exc import IntegrityError

from loantap.alerting.commands import main
from loantap.surveillance.monitoring.checks import AlertReport
from tests.alerting.conftest import DAY, make_finding
from tests.support.local_server import serve


@pytest.fixture
def call(tmp_path, monkeypatch):
	report = tmp_path / "alerts.json"
	monkeypatch.setenv("LOANTAP_ALERTS_URL", f"sqlite:///{tmp_path / 'alerts.db'}")

	def run(*words):
		report.write_text(AlertReport(as_of=DAY, findings=(make_finding(),)).model_dump_json())
		given = [] if words[0] == "waiting" else ["--report", str(report)]
		return CliRunner().invoke(main, [*words, *given])

	return run


@pytest.fixture
def got(monkeypatch):
	"""What the channel `risk` has taken."""
	taken = []
	with serve(lambda *_: (taken.append(1), (200, ""))[1]) as port:
		monkeypatch.setenv("LOANTAP_ALERT_RISK", f"json://127.0.0.1:{port}")
		yield taken


def test_without_deliver_it_says_what_would_be_sent_and_sends_and_keeps_nothing(call, got):
	first, second = call("send"), call("send")

	assert first.exit_code == 0
	assert first.output == second.output
	assert first.output.startswith("risk: NEW [warning] applicants_moved, dti_pct")
	assert first.output.endswith("Messages that would be sent: 1. Add --deliver to send them\n")
	assert got == []
	assert call("waiting").output == "Nothing waits\n"


def test_what_cannot_be_delivered_waits_and_the_exit_code_says_so(call, monkeypatch):
	monkeypatch.delenv("LOANTAP_ALERT_RISK", raising=False)
	sent = call("send", "--deliver")

	assert sent.exit_code == 1
	assert "risk: 1 not delivered. LOANTAP_ALERT_RISK is not set" in sent.output
	waiting = call("waiting")
	assert waiting.exit_code == 1
	assert "attempts: 1; LOANTAP_ALERT_RISK is not set" in waiting.output


def test_what_was_delivered_is_not_sent_again(call, got):
	outputs = [call("send", "--deliver").output for _ in range(2)]

	assert outputs == ["risk: 1 delivered\nNothing waits\n", "Nothing waits\n"]
	assert got == [1]


def test_a_report_that_another_sender_takes_at_once_is_delivered_nevertheless(call, got, monkeypatch):
	def be_late(*_):
		raise IntegrityError("INSERT INTO reports", {}, Exception("its key is there"))

	monkeypatch.setattr("loantap.alerting.ledger._FIRST_WAIT", timedelta(0))
	monkeypatch.setattr("loantap.alerting.delivery._ATTEMPTS", 1)
	address = os.environ.pop("LOANTAP_ALERT_RISK")
	call("send", "--deliver")
	monkeypatch.setenv("LOANTAP_ALERT_RISK", address)
	monkeypatch.setattr("loantap.alerting.commands.take_report", be_late)

	assert call("send", "--deliver").output == "risk: 1 delivered\nNothing waits\n"


FUTURE = AlertReport(as_of=date(2999, 1, 1)).model_dump_json()


@pytest.mark.parametrize(
	("content", "said"),
	[
		(None, "there is no report of monitoring"),
		("{", "it is no report"),
		(FUTURE, "it is of 2999-01-01, a day to come"),
	],
)
def test_a_report_that_is_absent_or_damaged_is_named_with_the_remedy(call, tmp_path, content, said):
	path = tmp_path / "other.json"
	if content is not None:
		path.write_text(content)

	told = CliRunner().invoke(main, ["send", "--report", str(path)])

	assert told.exit_code == 1
	assert f"{path}: {said}" in told.output.replace("\n", " ")


@pytest.mark.parametrize("address", ["nowhere", "sqlite:////proc/none/alerts.db"])
def test_a_ledger_that_cannot_be_opened_is_told_in_a_sentence(call, monkeypatch, address):
	monkeypatch.setenv("LOANTAP_ALERTS_URL", address)
	told = call("waiting")

	assert told.exit_code == 1
	assert told.output.startswith("Error: LOANTAP_ALERTS_URL: the ledger cannot be opened (")
