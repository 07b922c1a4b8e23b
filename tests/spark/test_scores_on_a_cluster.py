import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from kedro.io import DatasetError
from kedro.validation.exceptions import DataValidationError
from pandas.testing import assert_frame_equal

from loantap.datasets import BatchedDataset, SparkFileDataset, SparkInputDataset, SparkTableDataset, TableFileDataset
from loantap.datasets.spark import table as spark_table
from loantap.datasets.staged import staging_path
from loantap.model.schemas import FEATURES
from loantap.pipelines.feature_engineering.nodes import build_features
from loantap.pipelines.scoring.nodes import score_applications
from loantap.policy.options import ScoringOptions
from loantap.portfolio.errors import InputError
from loantap.tables import files, tasks
from loantap.tables.rows import MappedFile
from tests.conftest import AS_OF
from tests.policy.shipped import ECONOMICS, make_policy
from tests.spark.functions_of_rows import (
	break_in_the_middle,
	make_one_impossible,
	make_scores,
	take_minutes,
	tell_where,
)

MakeTable = Callable[[Path], SparkTableDataset]
OPTIONS = (ScoringOptions(as_of=AS_OF.date()), make_policy(), ECONOMICS, None)


@pytest.mark.parametrize("rows", [0, 4_000])
def test_features_are_those_of_one_machine(rows, simulated_loans, make_table, tmp_path, monkeypatch):
	monkeypatch.setattr(tasks.cut, "__defaults__", (1_000,))
	file = {
		"type": "pandas.ParquetDataset",
		"filepath": str(tmp_path / "loans.parquet"),
		"save_args": {"row_group_size": 500},
	}
	loans = SparkInputDataset(dataset=file, schema="loantap.portfolio.schemas.LOANS")
	loans.save(simulated_loans.head(rows))
	features = make_table(tmp_path / "features.parquet", "loantap.model.schemas.FEATURES")

	# Before it is published, as within a run that ingests.
	for promise in build_features(loans.load()):
		features.save(promise)

	(here,) = build_features(simulated_loans.head(rows))
	there = FEATURES.validate(features.load())
	assert_frame_equal(there, here, check_exact=False, rtol=0, atol=1e-9)
	assert len(list(features.current.iterdir())) == max(rows // 1_000, 1)
	features.discard()


@pytest.fixture(autouse=True)
def _short_slices(monkeypatch):
	"""Every row group is a task of its own, so that several machines are needed."""
	monkeypatch.setattr(tasks.cut, "__defaults__", (1,))
	monkeypatch.setattr(files.TableFile.__init__, "__defaults__", (128, None, None))


def write(rows, path, row_group_size=128):
	if path.suffix == ".csv":
		rows.to_csv(path, index=False)
	else:
		rows.to_parquet(path, row_group_size=row_group_size)
	return path


def score_here(source, target, scorer):
	dataset = BatchedDataset(dataset={"type": "pandas.ParquetDataset", "filepath": str(target)})
	for batch in score_applications(TableFileDataset(filepath=str(source)).load(), scorer, *OPTIONS):
		dataset.save(batch)
	dataset.publish()
	return pd.read_parquet(target)


def score_there(source, target, scorer, make_table):
	dataset = make_table(target)
	(promise,) = score_applications(SparkFileDataset(filepath=str(source)).load(), scorer, *OPTIONS)
	dataset.save(promise)
	dataset.publish()
	return pd.read_parquet(target)


def assert_same(there, here):
	assert_frame_equal(there, here, check_exact=False, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("kind", "ids"), [("csv", "none"), ("parquet", "texts"), ("csv", "numbers with gaps")])
def test_scores_are_those_of_one_machine(kind, ids, applications, scorer, make_table, tmp_path, caplog):
	numbers = pd.array([2**60 + n for n in range(600)], dtype="Int64")
	numbers[[5, 599]] = pd.NA
	given = {
		"none": {},
		"texts": {"application_id": [f"00{n}" for n in range(600)]},
		"numbers with gaps": {"application_id": numbers},
	}[ids]
	source = write(applications.assign(**given), tmp_path / f"new.{kind}")

	with caplog.at_level(logging.INFO, "loantap.progress"):
		there = score_there(source, tmp_path / "there.parquet", scorer, make_table)

	# Of a CSV, the copy that is made of it first has no total.
	told = [r.done for r in caplog.records if getattr(r, "total", None) == 600]
	assert told[-1] == 600
	assert told == sorted(told)
	assert_same(there, score_here(source, tmp_path / "here.parquet", scorer))
	assert (there["decision"] == "invalid").sum() == 4
	assert len(list((tmp_path / "there.parquet").iterdir())) == 5


@pytest.mark.parametrize("rows", [0, 1, 129])
def test_a_file_of_any_length_is_scored(rows, applications, scorer, make_table, tmp_path):
	source = write(applications.head(rows), tmp_path / "new.parquet")

	there = score_there(source, tmp_path / "there.parquet", scorer, make_table)

	assert_same(there, score_here(source, tmp_path / "here.parquet", scorer))
	assert there["application_id"].tolist() == [str(number) for number in range(rows)]


def test_row_groups_without_rows_are_nothing(applications, scorer, make_table, tmp_path):
	source = tmp_path / "new.parquet"
	table = pq.read_table(write(applications.head(9), tmp_path / "few.parquet"))
	with pq.ParquetWriter(source, table.schema) as writer:
		for part in (table[:0], table[:4], table[:0], table[4:], table[:0]):
			writer.write_table(part)

	there = score_there(source, tmp_path / "there.parquet", scorer, make_table)

	assert_same(there, score_here(source, tmp_path / "here.parquet", scorer))
	assert len(there) == 9


@pytest.fixture
def numbers(tmp_path):
	"""A file of 300 rows, for functions that score anything."""
	return write(pd.DataFrame({"a": range(300)}), tmp_path / "numbers.parquet")


# The last good scores stay, and nothing else.


@pytest.fixture
def last_good(tmp_path):
	path = tmp_path / "07_model_output" / "scores.parquet"
	path.mkdir(parents=True)
	scores = make_scores(pd.DataFrame({"a": range(5)}), 0)
	scores.to_parquet(path / "part-000000.parquet")
	yield path
	assert len(pd.read_parquet(path)) == 5
	assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_column_that_is_missing_is_missed_by_name(applications, scorer, make_table, last_good, tmp_path):
	source = write(applications.drop(columns="dti"), tmp_path / "new.parquet")

	# Before the cluster is asked for anything.
	with pytest.raises(InputError, match="applications: column dti missing"):
		score_there(source, last_good, scorer, make_table)


def test_rows_that_are_not_valid_are_found_where_they_are_made(make_table, last_good, numbers):
	promise = MappedFile(numbers, ("a",), make_one_impossible)
	dataset = make_table(last_good)

	with pytest.raises(DataValidationError, match=r"1 of 3 parts .*part-000002.*in_range"):
		dataset.save(promise)


def test_what_breaks_on_a_machine_of_the_cluster_is_told_with_its_cause(make_table, last_good, numbers):
	dataset = make_table(last_good)

	with pytest.raises(DatasetError, match="a cable was cut"):
		dataset.save(MappedFile(numbers, ("a",), break_in_the_middle))


def test_a_run_that_is_interrupted_has_the_cluster_stop(make_table, last_good, numbers, monkeypatch):
	dataset = make_table(last_good)

	def press_control_c(*_):
		time.sleep(2)
		raise KeyboardInterrupt

	monkeypatch.setattr(spark_table, "_watch", press_control_c)
	started = time.perf_counter()
	with pytest.raises(KeyboardInterrupt):
		dataset.save(MappedFile(numbers, ("a",), take_minutes))

	assert time.perf_counter() - started < 30


def test_a_run_that_fails_later_keeps_the_last_good_scores(make_table, last_good, numbers):
	dataset = make_table(last_good)
	dataset.save(MappedFile(numbers, ("a",), make_scores))

	assert len(dataset.load()) == 300
	assert dataset.tally(["model_name"])["rows"].tolist() == [300]
	dataset.discard()


def test_what_a_killed_run_left_is_no_obstacle(applications, scorer, make_table, last_good, tmp_path):
	left = staging_path(last_good)
	left.mkdir()
	(left / "part-000099.parquet").write_text("half a file")

	score_there(write(applications.head(5), tmp_path / "new.parquet"), last_good, scorer, make_table)


def test_a_run_killed_between_the_two_steps_of_publication_leaves_the_last_good_scores(make_table, last_good):
	aside = last_good.with_name(".scores.aside.parquet")
	last_good.rename(aside)

	assert len(make_table(last_good).load()) == 5
	aside.rename(last_good)


def test_tasks_are_done_by_other_processes_with_one_thread_each(make_table, numbers, tmp_path):
	dataset = make_table(tmp_path / "there.parquet")

	dataset.save(MappedFile(numbers, ("a",), tell_where))

	told = dataset.load()
	assert not told["reason_1"].eq(str(os.getpid())).any()
	assert set(told["reason_2"]) == {"1"}
	assert set(told["reason_3"]) == {"without mlflow"}
	dataset.discard()
