from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from loantap.serving.dashboard.commands import make_command
from loantap.serving.dashboard.entry import app
from loantap.serving.keys.keys import Scope
from tests.serving.dashboard.screen import look, read_all


def test_no_page_of_ours_is_taken_for_one_of_streamlit_s_own():
	"""Else a first visit to a page's address finds a page without anything on it."""
	script = Path(make_command("127.0.0.1", 8501)[4])

	assert script == Path(app.__file__)
	assert not (script.parent / "pages").exists()


def test_what_fails_is_told_to_nobody_but_the_log():
	assert "--client.showErrorDetails=none" in make_command("127.0.0.1", 8501)


@pytest.mark.usefixtures("api")
def test_the_first_page_is_for_scoring(screen, monkeypatch):
	shown = look(AppTest.from_file(app.__file__, default_timeout=30).run())

	assert "Score" in read_all(shown)
	assert "paste your API key" in read_all(shown)


def test_the_portfolio_shows_nothing_to_who_has_no_key(screen):
	assert "paste your API key" in screen.read("portfolio", "")


def test_the_portfolio_shows_nothing_to_a_key_that_may_not_read(api, screen):
	app = screen.open("portfolio", api.make_key("Scorer", [Scope.SCORE]))

	assert "no right to read decisions" in read_all(app)


def test_a_damaged_report_is_named(screen, tmp_path):
	path = tmp_path / "data/08_reporting/summary.json"
	path.parent.mkdir(parents=True)
	path.write_text("{", "utf-8")

	[told] = screen.open("portfolio").error

	assert str(path) in told.value
	assert "make run" in told.value


def test_before_the_first_run_the_portfolio_says_what_to_run_and_needs_no_api_that_runs(down):
	app = down.open("portfolio")

	said = read_all(app)
	assert "`make run`" in said
	assert "not running" not in said
	assert not app.subheader
