import re
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from loantap.databases.backends import waiting
from loantap.databases.backends.embedded import is_marked
from loantap.datasets.target_table import publish_together
from loantap.portfolio.errors import InputError
from tests.datasets.target_runs import ask, make_target, read, refusal, tables, write


@pytest.fixture
def credentials(duckdb_credentials):
	return duckdb_credentials


def test_the_table_is_made_with_its_key_and_the_types_of_the_columns(loans, credentials):
	write(credentials, loans.assign(months=1, is_new=True))

	columns = ask(credentials, "SELECT column_name, data_type, is_nullable FROM information_schema.columns")
	assert columns == [
		("loan_id", "VARCHAR", "NO"),
		("int_rate", "DOUBLE", "YES"),
		("mort_acc", "DOUBLE", "YES"),
		("emp_title", "VARCHAR", "YES"),
		("updated_at", "TIMESTAMP", "YES"),
		("months", "BIGINT", "YES"),
		("is_new", "BOOLEAN", "YES"),
	]
	with pytest.raises(duckdb.ConstraintException):
		ask(credentials, "INSERT INTO portfolio BY NAME SELECT 1.0 AS int_rate")


def test_every_value_survives(credentials):
	rows = pa.table(
		{
			"loan_id": ["a", "b", "c", "d"],
			"text": ["Bäcker 😀 \\ \" ' {NULL}", "12 Nowhere Lane\r\nSampleville", "", None],
			"number": [1 / 3, float("nan"), -0.0, None],
			"whole": [2**63 - 1, -(2**63), 0, None],
			"flag": [True, False, None, None],
			"time": pa.array([0, 1_700_000_000_123_456, -1, None], pa.timestamp("us")),
		}
	)
	write(credentials, rows)

	with duckdb.connect(credentials["path"]) as connection:
		found = connection.sql("FROM portfolio ORDER BY loan_id").to_arrow_table()
	# As text, in which NaN equals NaN and not a missing value.
	assert [str(row) for row in found.to_pylist()] == [str(row) for row in rows.to_pylist()]


def test_categories_are_text_and_times_are_in_utc(credentials):
	noon = pd.Timestamp("2026-01-01 12:00", tz="Asia/Kolkata")
	time = pa.array([noon.value + 1], pa.timestamp("ns", "Asia/Kolkata"))  # stored to the microsecond
	grade = pa.array(["B"]).dictionary_encode()
	write(credentials, pa.table({"loan_id": ["a"], "grade": grade, "time": time}))

	assert ask(credentials, "SELECT grade, CAST(time AS TEXT) FROM portfolio") == [("B", "2026-01-01 06:30:00")]


class TestUntilPublished:
	@pytest.fixture
	def target(self, loans, credentials):
		"""A table with a last good version of three rows, and one row saved by this run."""
		write(credentials, loans)
		target = make_target(credentials)
		target.save(loans.head(1))
		return target

	def test_others_read_the_old_rows_and_then_the_new_ones(self, target, credentials):
		assert len(read(credentials)) == 3
		assert target.load().read_all().num_rows == 1
		assert target.load().schema.names == read(credentials).columns.tolist()
		target.publish()
		target.publish()
		assert len(read(credentials)) == 1
		assert target.load().read_all().num_rows == 1
		assert tables(credentials) == ["portfolio"]

	@pytest.mark.parametrize("form", [lambda rows: rows, pa.Table.from_pandas], ids=["frame", "Arrow"])
	def test_no_rows_are_rows_too(self, form, loans, credentials):
		write(credentials, loans)
		write(credentials, form(loans.head(0)))

		assert read(credentials).empty

	def test_a_warehouse_that_cannot_forget_them_hides_no_other_error(self, target, credentials, caplog):
		Path(credentials["path"]).write_text("no database")
		target.discard()

		assert "is left behind" in caplog.text

	def test_discarded_they_are_gone(self, target, credentials):
		target.discard()
		target.publish()

		assert len(read(credentials)) == 3
		assert tables(credentials) == ["portfolio"]

	def test_two_runs_at_the_same_time_stage_apart_and_the_last_one_counts(self, target, loans, credentials):
		other = make_target(credentials)
		other.save(loans.tail(2))
		target.publish()
		other.publish()

		assert read(credentials)["loan_id"].tolist() == ["b-1", "c-1"]
		assert tables(credentials) == ["portfolio"]

	def test_what_a_killed_run_left_is_in_nobodys_way_and_removed_after_a_day(self, target, loans, credentials):
		now, other = datetime.now(tz=UTC), "portfolio_months__staged_250101_abc"
		old, new = (f"portfolio__staged_{now - timedelta(hours=n):%y%m%d%H%M%S}_abcdef" for n in (25, 23))
		ask(credentials, "".join(f"CREATE TABLE {name} (a INTEGER);" for name in (old, new, other)))

		write(credentials, loans)

		waiting = [name for name in tables(credentials) if "__staged_" in name]
		assert old not in waiting
		assert {new, other} < set(waiting)
		assert len(waiting) == 3  # and the one of the run that is still going on


@pytest.mark.parametrize("kind", ["frames", "another order", "Arrow batches", "an Arrow table"])
def test_frames_and_arrow_batches_make_one_table(kind, loans, credentials):
	table = pa.Table.from_pandas(loans, preserve_index=False)
	data = {
		"frames": lambda: (loans.iloc[[row]] for row in range(3)),
		"another order": lambda: [loans.head(1), loans.tail(2)[loans.columns[::-1]]],
		"Arrow batches": lambda: table.to_reader(2),
		"an Arrow table": lambda: table,
	}
	write(credentials, data[kind]())

	assert_frame_equal(read(credentials), loans, check_dtype=False)


@pytest.mark.parametrize(
	("later", "said"),
	[
		({"int_rate": ["plenty"] * 3}, "column int_rate has values that are not double"),
		({"accounts": [2.0, 2.7, 3.0]}, "column accounts has values that are not int64"),
		({"new": 1.0}, "column new is in some of its rows only"),
		({"loan_id": [None, "b", None]}, "2 of 3 rows have no loan_id, a part of its key"),
	],
)
def test_a_batch_that_does_not_fit_stops_the_run_and_leaves_nothing(later, said, loans, credentials):
	write(credentials, loans)
	target = make_target(credentials)
	target.save(loans.head(1).assign(accounts=1))

	error = refusal(target, loans.assign(**({"accounts": 1} | later)))

	assert error.where == "warehouse, table portfolio"
	assert said in error.problem
	target.publish()
	assert_frame_equal(read(credentials), loans, check_dtype=False)
	assert tables(credentials) == ["portfolio"]


@pytest.mark.parametrize(
	("rows", "said"),
	[
		({"loan_id": ["a"], "tags": [["x"]]}, "column tags is of type list"),
		({"loan_id": ["a"], "nothing": [None]}, "column nothing is of type null"),
		({"id": ["a"]}, "column loan_id, a part of its key, is missing"),
	],
)
def test_a_column_that_cannot_be_stored_is_named(rows, said, credentials):
	assert said in refusal(make_target(credentials), pa.table(rows)).problem


class TestFileThatSomebodyHolds:
	"""Such as a notebook: a run that writes waits for it."""

	@pytest.fixture(autouse=True)
	def _short_pauses(self, monkeypatch):
		monkeypatch.setattr(waiting, "_FIRST_PAUSE_S", 0.05)

	@contextmanager
	def held(self, path, seconds):
		code = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print(flush=True)"
		command = [sys.executable, "-c", f"{code}; time.sleep(float(sys.argv[2]))", path]
		with subprocess.Popen([*command, str(seconds)], stdout=subprocess.PIPE) as other:
			assert other.stdout is not None
			other.stdout.readline()
			try:
				yield
			finally:
				other.kill()

	def test_the_run_goes_on_when_it_is_let_go(self, loans, credentials, caplog):
		write(credentials, loans)
		with self.held(credentials["path"], seconds=0.5):
			write(credentials, loans.head(1), time_limit_s=60)

		assert len(read(credentials)) == 1
		assert "end the other process that holds the file open" in caplog.text

	def test_but_not_for_ever(self, loans, credentials):
		write(credentials, loans)
		with self.held(credentials["path"], seconds=60):
			error = refusal(make_target(credentials, time_limit_s=0.2), loans.head(1))

		assert re.search(r"cannot be opened.*tried \d+ times? in", error.problem)
		assert len(read(credentials)) == 3


def test_any_name_is_taken_literally(loans, credentials):
	names = {"loan_id": 'the "id"', "int_rate": "select", "mort_acc": "x; DROP TABLE y"}
	rows = loans.rename(columns=names)
	for _ in range(2):
		write(credentials, rows, table='a "table"', key=['the "id"'])

	assert_frame_equal(read(credentials, 'a ""table""'), rows, check_dtype=False)


def test_it_exists_when_there_is_a_table(loans, credentials):
	assert not make_target(credentials).exists()

	write(credentials, loans)

	assert make_target(credentials).exists()
	assert not make_target(credentials, table="other").exists()


@pytest.mark.parametrize("run", ["r-1", None])
def test_each_database_gets_its_own_tables_with_the_mark_of_the_run(run, loans, credentials):
	other = credentials | {"path": f"{credentials['path']}2"}
	targets = [make_target(credentials), make_target(other, table="loans")]
	for target in targets:
		target.save(loans)
	publish_together(targets, run)

	assert (tables(credentials), tables(other)) == (["portfolio"], ["loans"])
	assert is_marked(targets[0].file, "portfolio", str(run)) is (run is not None)


def test_credentials_never_show(credentials):
	target = make_target({"connection": "Driver={X};Pwd=s3cret"})

	assert "s3cret" not in repr(target)
	assert credentials["path"] not in repr(make_target(credentials))


def test_credentials_that_cannot_be_used_are_found_without_connecting():
	make_target({"backend": "duckdb", "path": "nowhere.duckdb"}).require_credentials()
	with pytest.raises(InputError, match="credentials of warehouse"):
		make_target({"backend": "oracle"}).require_credentials()
