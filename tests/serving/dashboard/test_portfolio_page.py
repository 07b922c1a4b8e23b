from loantap.serving.keys.keys import Scope
from tests.serving.dashboard.screen import read_all


def test_before_the_first_run_it_says_what_to_run(api, screen):
    app = screen.open("portfolio", api.key)

    assert "`make run`" in read_all(app)
    assert not app.subheader


def test_it_shows_nothing_to_who_has_no_key(screen):
    assert "paste your API key" in screen.read("portfolio")


def test_it_shows_nothing_to_a_key_that_may_not_read(api, screen):
    app = screen.open("portfolio", api.make_key("Scorer", [Scope.SCORE]))

    assert "no right to read decisions" in read_all(app)


def test_a_damaged_report_is_named(api, screen, tmp_path):
    path = tmp_path / "data/08_reporting/summary.json"
    path.parent.mkdir(parents=True)
    path.write_text("{", "utf-8")

    [told] = screen.open("portfolio", api.key).error

    assert str(path) in str(told.value)
    assert "make run" in str(told.value)


def test_it_needs_no_api_that_runs(down):
    said = down.read("portfolio", "lt_some_key")

    assert "`make run`" in said
    assert "not running" not in said
