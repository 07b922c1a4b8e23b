from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from loantap.serving.dashboard.commands import make_command
from loantap.serving.dashboard.entry import app
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
