"""While a search runs, a bar counts its fits; when it has ended nothing of it is left."""

import logging
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from loantap.hooks.progress import CountingHandler
from loantap.tables.progress import LOGGER


@pytest.fixture
def progress():
    """A display that a terminal would show, and that shows no more than descriptions."""
    console = Console(file=StringIO(), force_terminal=True, width=80)
    return Progress(TextColumn("{task.description}"), console=console, transient=True)


@pytest.fixture
def listening(progress):
    handler = CountingHandler(progress)
    handler.listen()
    yield handler
    handler.leave()


def count(done, total, label="fold 1"):
    """One fit, as the search counts it."""
    fields = {"label": label, "done": done, "total": total, "rate": 3.0}
    LOGGER.info("%s: %s of %s fits", label, done, total, extra=fields)


@pytest.mark.usefixtures("listening")
class TestCounting:
    def test_a_bar_shows_how_far_the_search_is(self, progress):
        count(57, 150, "fold 3")

        (task,) = progress.tasks
        assert task.description.strip() == "fold 3"
        assert (task.completed, task.total) == (57, 150)

    def test_the_bar_goes_when_the_search_is_done(self, progress):
        for done in (1, 2, 3):
            count(done, 3)

        assert progress.tasks == []

    def test_the_next_search_has_a_bar_of_its_own(self, progress):
        count(3, 3)
        count(1, 30)

        (task,) = progress.tasks
        assert (task.completed, task.total) == (1, 30)

    def test_rows_are_shown_with_their_rate(self, progress):
        fields = {"label": "loans", "done": 131_072, "total": 400_000, "rate": 240_000.4}
        LOGGER.info("rows are counted", extra=fields)

        (task,) = progress.tasks
        assert task.description.strip() == "loans, 240,000 a second"
        assert (task.completed, task.total) == (131_072, 400_000)

    def test_folds_in_several_threads_share_one_bar(self, progress):
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda done: count(done, 1_000), range(1, 500)))

        assert len(progress.tasks) == 1

    def test_what_counts_nothing_is_passed_over(self, progress):
        LOGGER.info("nothing to count")

        assert progress.tasks == []

    def test_counts_do_not_reach_the_log_as_well(self, monkeypatch):
        reached = []
        logger = logging.getLogger("loantap")
        handler = logging.Handler()
        monkeypatch.setattr(handler, "emit", reached.append)
        logger.addHandler(handler)
        count(1, 3)
        logger.removeHandler(handler)

        assert reached == []


def test_a_search_that_stops_half_way_leaves_no_bar(progress):
    handler = CountingHandler(progress)
    handler.listen()
    count(1, 3)
    handler.leave()

    assert progress.tasks == []


def test_the_logger_is_left_as_it_was(progress):
    before = (list(LOGGER.handlers), LOGGER.level, LOGGER.propagate)
    handler = CountingHandler(progress)
    handler.listen()
    handler.leave()

    assert (LOGGER.handlers, LOGGER.level, LOGGER.propagate) == before


def test_nothing_stays_on_the_console(progress):
    handler = CountingHandler(progress)
    handler.listen()
    with progress:
        count(1, 3)
        progress.refresh()
        handler.leave()

    shown = progress.console.file.getvalue()
    assert "fold 1" in shown
    # The line is erased, and the cursor shown again at its beginning.
    assert shown.endswith("fold 1\r\x1b[2K\x1b[?25h\r")
