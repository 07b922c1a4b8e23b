import logging
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pandas as pd
import pytest
from kedro.io import DataCatalog
from rich.console import Console
from rich.progress import Progress, TextColumn

from loantap.hooks.progress import CountingHandler, collect_results
from loantap.tables.progress import LOGGER


@pytest.fixture
def progress():
	"""A display that a terminal would show, and that shows no more than descriptions."""
	console = Console(file=StringIO(), force_terminal=True, width=80)
	return Progress(TextColumn("{task.description}"), console=console, transient=True)


@pytest.fixture
def handler(progress):
	listening = CountingHandler(progress)
	listening.listen()
	yield listening
	listening.leave()


def count(done, total, label="fold 1", rate=3.0):
	fields = {"label": label, "done": done, "total": total, "rate": rate}
	LOGGER.info("%s: %s of %s fits", label, done, total, extra=fields)


@pytest.mark.usefixtures("handler")
class TestCounting:
	@pytest.mark.parametrize(
		("counted", "said"),
		[((57, 150, "fold 3"), "fold 3"), ((131_072, 400_000, "loans", 240_000.4), "loans, 240,000 a second")],
		ids=["fits", "rows with their rate"],
	)
	def test_a_bar_shows_how_far_it_is(self, counted, said, progress):
		count(*counted)

		(task,) = progress.tasks
		assert task.description.strip() == said
		assert (task.completed, task.total) == counted[:2]

	def test_a_search_that_is_done_has_no_bar_and_the_next_has_its_own(self, progress):
		count(3, 3)
		count(1, 30)

		(task,) = progress.tasks
		assert (task.completed, task.total) == (1, 30)

	def test_folds_in_several_threads_share_one_bar(self, progress):
		with ThreadPoolExecutor(8) as threads:
			list(threads.map(lambda done: count(done, 1_000), range(1, 500)))

		assert len(progress.tasks) == 1

	def test_what_counts_nothing_is_passed_over(self, progress):
		LOGGER.info("nothing to count")

		assert progress.tasks == []

	def test_counts_do_not_reach_the_log_as_well(self, monkeypatch):
		reached = []
		above = logging.Handler()
		monkeypatch.setattr(above, "emit", reached.append)
		logging.getLogger("loantap").addHandler(above)  # taken away after the test
		count(1, 3)

		assert reached == []


def test_a_search_that_stops_half_way_leaves_no_bar_and_the_logger_as_it_was(progress):
	before = (list(LOGGER.handlers), LOGGER.level, LOGGER.propagate)
	handler = CountingHandler(progress)
	handler.listen()
	count(1, 3)
	assert progress.tasks
	handler.leave()

	assert progress.tasks == []
	assert (LOGGER.handlers, LOGGER.level, LOGGER.propagate) == before


def test_nothing_stays_on_the_console(progress, handler):
	with progress:
		count(1, 3)
		progress.refresh()
		handler.leave()

	shown = progress.console.file.getvalue()
	assert "fold 1" in shown
	# The line is erased, and the cursor shown again at its beginning.
	assert shown.endswith("fold 1\r\x1b[2K\x1b[?25h\r")


def test_offers_are_told_with_their_account_and_their_model(tmp_path):
	catalog = DataCatalog.from_config(
		{
			"offers": {
				"type": "loantap.datasets.BatchedDataset",
				"dataset": {"type": "pandas.ParquetDataset", "filepath": str(tmp_path / "new.parquet")},
				"in_batches": True,
			},
			"offers.offers_account": {
				"type": "loantap.datasets.StagedDataset",
				"dataset": {"type": "json.JSONDataset", "filepath": str(tmp_path / "a.json")},
			},
		}
	)
	names = ["offers", "offers.offers_account"]
	rows = pd.DataFrame({"application_id": ["1", "1", "2"], "model_name": "m", "model_version": "3"})
	catalog.save(names[0], rows)
	catalog.save(names[1], {"rows": 2})
	for name in names:
		catalog.get(name).publish()

	found = collect_results(catalog, names, tmp_path)

	assert found.offers == tmp_path / "new.parquet"
	assert found.offers_account == {"rows": 2}
	assert found.offering_models is not None
	assert found.offering_models.to_dict("records") == [{"model_name": "m", "model_version": "3", "rows": 3}]
	assert (found.scores, found.decisions, found.scoring_account) == (None, None, None)
