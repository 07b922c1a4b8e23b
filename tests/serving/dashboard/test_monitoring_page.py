import httpx
import pytest

from tests.serving.dashboard.screen import Screen, answer_with, choose, read_all
from tests.serving.dashboard.test_model_page import KEY
from tests.serving.watched import write_monitoring


@pytest.fixture
def screen(tmp_path, monkeypatch):
	return Screen(monkeypatch, httpx.MockTransport(answer_with({"/v1/key": (200, KEY)})), tmp_path)


def test_what_to_do_comes_first_then_each_alarm_once(screen, tmp_path):
	write_monitoring(tmp_path / "data/08_reporting")
	said = screen.read("monitoring", "lt_key")

	assert "Train and compare. A person decides; nothing is replaced by itself." in said
	assert "- The dti_pct moved by psi" in said
	assert "- The dti_pct moved by mean" not in said
	assert "SIMULATED DATA" in said
	assert "2026-11-01 to 2026-11-30" in said


def test_quiet_checks_are_shown_to_who_asks(screen, tmp_path):
	write_monitoring(tmp_path / "data/08_reporting")
	app = screen.open("monitoring", "lt_key")

	assert "dti pct: missing" not in read_all(app).replace("_", " ")
	assert "dti pct: missing" in read_all(choose(app, "radio", "Show", "All checks")).replace("_", " ")


def test_before_the_first_run_it_says_how_to_monitor(screen):
	assert "kedro run --pipelines monitoring" in screen.read("monitoring", "lt_key")


def test_a_damaged_report_is_named(screen, tmp_path):
	write_monitoring(tmp_path / "data/08_reporting", "{")

	assert "monitoring.json: it is no JSON" in screen.read("monitoring", "lt_key")
