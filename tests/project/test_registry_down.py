import sqlite3
from contextlib import closing

import pandas as pd
import pytest

from loantap.hooks import record
from loantap.registry import connection


@pytest.fixture
def few(applications):
	return applications.head(6)


@pytest.fixture
def scored(score, few):
	return score(few)[0]


@pytest.fixture
def _locked(demo, scored, monkeypatch):
	"""Another process does not let go of the database."""
	monkeypatch.setattr(connection, "_PATIENCE", 0.1)
	monkeypatch.setattr(record, "LONGEST_S", 0.5)
	with closing(sqlite3.connect(demo.folder / "mlflow.db")) as other:
		other.execute("BEGIN EXCLUSIVE")
		yield


@pytest.mark.usefixtures("_locked")
def test_scoring_goes_on_with_the_same_model_and_says_so(score, few, scored):
	meanwhile, told = score(few)

	pd.testing.assert_frame_equal(meanwhile, scored)
	assert "database is locked" in told
	assert "last good" in told


@pytest.mark.usefixtures("_locked")
def test_training_stops_before_any_node_with_one_message(demo):
	files = demo.digests()
	result = demo.run("--pipelines", "training")

	assert result.exit_code == 1
	assert "model registry (sqlite:///" in result.output
	assert "database is locked" in result.output
	assert "Traceback" not in result.output
	assert demo.digests() == files


def test_the_next_run_in_the_same_process_is_recorded_as_a_run_of_its_own(demo):
	experiment = demo.mlflow.get_experiment_by_name("loantap").experiment_id

	def find_runs():
		return demo.mlflow.search_runs([experiment], max_results=5_000)

	before = len(find_runs())
	for _ in range(2):
		recorded = demo.run("--pipelines", "evaluation", "--nodes", "evaluation.collect_metrics")
		assert recorded.exit_code == 0
	assert demo.run("--pipelines", "insights", "--nodes", "insights.recommend").exit_code == 0

	runs = find_runs()
	assert len(runs) == before + 2
	assert {run.info.status for run in runs} <= {"FINISHED", "FAILED"}
