from dataclasses import replace

import httpx
import pytest

from tests.serving.dashboard.screen import Screen, answer_with

KEY = {"id": "k", "owner": "Reader", "person": "Reader", "scopes": ["read"], "rate_per_minute": 9, "later": "more"}
VERSION = {
	"name": "loantap-lending-demo",
	"version": "4",
	"created": "2026-11-28T21:40:46Z",
	"is_champion": True,
	"outcome": "promoted",
	"reason": "every condition holds",
}
# As the API answers after a run in which a challenger was tried.
MODEL = {
	"name": "loantap-lending-demo",
	"version": "4",
	"origin": "simulated",
	"kind": "logistic",
	"target": "charged_off",
	"aliases": ["champion"],
	"training_loans": 18_000,
	"training_charge_offs": 3_478,
	"features": ["dti_pct", "term_months"],
	"loaded_at": "2026-11-29T00:12:24.070907Z",
	"state": "fresh",
	"doubt": None,
	"trained_at": "2026-11-28T21:40:46.317000Z",
	"challenger": {
		"name": "boosting",
		"version": None,
		"candidate": "boosting",
		"incumbent": "logistic",
		"promoted": False,
		"headline": "boosting does not take the place of logistic",
		"conditions": [
			{"name": "calibrated", "holds": True, "evidence": "ECE 0.0063"},
			{"name": "better AUC", "holds": False, "evidence": "-0.00290 [-0.00460, -0.00110]"},
		],
	},
	"history": [
		VERSION,
		VERSION | {"version": "3", "is_champion": False, "outcome": "refused", "reason": "it is not calibrated"},
	],
}


@pytest.fixture
def metrics(tmp_path):
	"""It is not there yet."""
	path = tmp_path / "data/08_reporting/metrics.json"
	path.parent.mkdir(parents=True)
	return path


def open_model(monkeypatch, folder, status=200, **changes):
	routes = {"/v1/key": (200, KEY), "/v1/model": (status, MODEL | changes)}
	screen = Screen(monkeypatch, httpx.MockTransport(answer_with(routes)), folder)
	return screen.read("model")


def test_champion_challenger_and_history_are_told(tmp_path, monkeypatch):
	said = open_model(monkeypatch, tmp_path)

	assert "Champion: loantap-lending-demo, version 4" in said
	assert "3,478 charged off" in said
	assert "**Boosting does not take the place of logistic.**" in said
	assert "<td>Better AUC</td><td>does not hold</td><td>-0.00290" in said
	assert "<td>refused</td><td>it is not calibrated</td>" in said
	assert "SIMULATED" in said


def test_before_the_first_run_it_says_what_to_run(screen):
	said = screen.read("model")

	assert "Champion: loantap-lending-demo, version 3" in said
	assert "`make run`" in said
	# These tests have no registry.
	assert "The registry does not tell now" in said


def test_a_model_that_may_be_outdated_is_told(api, screen):
	live = api.office.desk.lending
	live._loaded = replace(live.loaded, doubt="the registry does not answer")

	assert "goes on as the last good one" in screen.read("model")


@pytest.mark.parametrize(
	("changed", "told"),
	[
		({"history": "none"}, "Run API and dashboard of the same version"),
		({"challenger": None}, "None was tried against it"),
	],
)
def test_an_answer_of_another_version_or_without_a_challenger_is_told(tmp_path, monkeypatch, changed, told):
	assert told in open_model(monkeypatch, tmp_path, **changed)


def test_an_api_that_is_down_is_told_and_the_last_run_is_still_looked_for(metrics, down):
	said = down.read("model")
	assert "The API is not running" in said
	assert "`make run`" in said

	metrics.write_text("[", "utf-8")
	assert f"{metrics}: it is no JSON" in down.read("model")


@pytest.mark.parametrize(("text", "problem"), [("[1]", "it is no JSON object"), ("{}", "it says nothing of lending")])
def test_a_report_that_cannot_be_used_is_named(metrics, tmp_path, monkeypatch, text, problem):
	metrics.write_text(text, "utf-8")

	said = open_model(monkeypatch, tmp_path)

	assert f"{metrics}: {problem}" in said
	assert "`make run` again" in said


def test_without_a_champion_it_says_why(empty_screen):
	said = empty_screen.read("model")

	assert "there is no champion" in said
	assert "Champion:" not in said
