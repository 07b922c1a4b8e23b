import json

import httpx
import pytest

from tests.serving.dashboard.screen import Screen, answer_with, choose, read_all
from tests.serving.dashboard.test_model_page import KEY


def make_check(what, verdict="quiet", subject="dti_pct"):
	figures = {"value": 0.25, "low": 0.2, "high": 0.3, "limit": 0.1, "n": 2_000, "against_n": 18_000}
	return {"subject": subject, "what": what, "verdict": verdict, "words": f"the {subject} moved by {what}", **figures}


REPORT = {
	"as_of": "2026-11-30",
	"model": "loantap-lending-demo 4",
	"origin": "simulated",
	"window": {"first": "2026-11-01", "last": "2026-11-30"},
	"n": 2_000,
	"n_earlier": 7_000,
	"alarms": 2,
	"recommendation": {"action": "retrain", "words": "Train and compare", "reasons": []},
	"checks": [
		make_check("psi", "alarm"),
		make_check("mean", "alarm"),
		make_check("missing"),
		make_check("rows", subject="loans"),
	],
	"months": [
		{"month": month, "n": 9, "approve": 4, "refer": 1, "decline": 3, "invalid": 1, "mean_pd": 0.2}
		for month in ("2026-10", "2026-11")
	],
}


@pytest.fixture
def screen(tmp_path, monkeypatch):
	(tmp_path / "data/08_reporting").mkdir(parents=True)
	return Screen(monkeypatch, httpx.MockTransport(answer_with({"/v1/key": (200, KEY)})), tmp_path)


def write(folder, content):
	(folder / "data/08_reporting/monitoring.json").write_text(content)


def test_what_to_do_comes_first_then_each_alarm_once(screen, tmp_path):
	write(tmp_path, json.dumps(REPORT))
	said = screen.read("monitoring", "lt_key")

	assert "Train and compare. A person decides; nothing is replaced by itself." in said
	assert "- The dti_pct moved by psi" in said
	assert "- The dti_pct moved by mean" not in said
	assert "SIMULATED DATA" in said
	assert "2026-11-01 to 2026-11-30" in said


def test_quiet_checks_are_shown_to_who_asks(screen, tmp_path):
	write(tmp_path, json.dumps(REPORT))
	app = screen.open("monitoring", "lt_key")

	assert "dti pct: missing" not in read_all(app).replace("_", " ")
	assert "dti pct: missing" in read_all(choose(app, "radio", "Show", "All checks")).replace("_", " ")


def test_before_the_first_run_it_says_how_to_monitor(screen):
	assert "kedro run --pipelines monitoring" in screen.read("monitoring", "lt_key")


def test_a_damaged_report_is_named(screen, tmp_path):
	write(tmp_path, "{")

	assert "monitoring.json: it is no JSON" in screen.read("monitoring", "lt_key")
