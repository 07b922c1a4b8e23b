import multiprocessing
import random
import time
from datetime import date, timedelta

import duckdb
import pyarrow as pa
from pandas.testing import assert_frame_equal

from loantap.datasets import SnapshotDataset, SourceTableDataset
from loantap.snapshots.extraction import Extraction

TIMES = 20
_PART_ROWS = 1_500
_BATCH_ROWS, _PAUSE_S = 250, 0.01

_LOANS = """
CREATE TABLE loans AS
SELECT printf('%08d', i) AS loan_id, 1000.0 + i AS loan_amnt, ' 36 months' AS term,
    i / 3 AS int_rate, 100.0 AS installment, 'B' AS grade, 'B4' AS sub_grade,
    'Jan-2014' AS issue_d, 'Fully Paid' AS loan_status, 'w' AS initial_list_status,
    TIMESTAMP '2016-01-01' + INTERVAL (i) MINUTE AS updated_at, 'real' AS origin
FROM range(6000) t(i)
"""


class _SlowSource:
	"""A source whose rows come little by little, so that there is time to be killed in."""

	def __init__(self, source, begin):
		self._source = source
		self._begin = begin

	def __getattr__(self, name):
		return getattr(self._source, name)

	def read(self, since=None):
		reader = self._source.read(since)

		def batches():
			for batch in reader:
				for start in range(0, batch.num_rows, _BATCH_ROWS):
					yield batch.slice(start, _BATCH_ROWS)
					self._begin()
					time.sleep(_PAUSE_S)

		return pa.RecordBatchReader.from_batches(reader.schema, batches())


def list_changes(number):
	"""What happens to the table `loans` before an extraction: statements any database takes."""
	when = f"TIMESTAMP '2016-02-{number:02} 12:00:00'"
	return [
		f"UPDATE loans SET grade = 'C', updated_at = {when} WHERE loan_id LIKE '%{number:02}'",  # noqa: S608
		f"INSERT INTO loans (loan_id, updated_at, origin) VALUES ('new-{number}', {when}, 'real')",  # noqa: S608
		*([f"DELETE FROM loans WHERE loan_id LIKE '%{number}'"] if number % 5 == 0 else []),  # noqa: S608
	]


def kill_extractions(credentials, folder, run_sql):
	"""Kill twenty extractions of a table `loans` that changes before each.

	At once the rows before the change or those behind it are there, and no others; the next run
	completes, and leaves no file that is not of the snapshot. `run_sql` changes the source.

	Returns how many were killed while they wrote: of full readings, and of what changed.
	"""
	context = multiprocessing.get_context("forkserver")
	context.set_forkserver_preload(["loantap.datasets"])
	moments = random.Random(20_261_123)  # noqa: S311
	writing = {"all": 0, None: 0}
	extract(credentials, folder, "all")
	old = _read_source(credentials)
	durations = {since: _measure(credentials, folder, since) for since in writing}

	for number in range(1, TIMES + 1):
		for statement in list_changes(number):
			run_sql(statement)
		new = _read_source(credentials)
		since = "all" if number % 2 else None
		held = {path.name for path in folder.iterdir()}
		started = context.Event()
		run = context.Process(target=extract, args=(credentials, folder, since, started))
		run.start()
		assert started.wait(30)
		time.sleep(moments.uniform(0, durations[since]))
		run.kill()
		run.join()
		is_killed = run.exitcode == -9
		writing[since] += is_killed and any(p.name not in held for p in folder.iterdir())

		found = _read_snapshot(folder)
		assert found.equals(old) or found.equals(new)
		extract(credentials, folder, None)
		assert_frame_equal(_read_snapshot(folder), new)
		assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]
		old = new
	return writing


def extract(credentials, folder, since, started=None):
	begin = started.set if started is not None else lambda: None
	slow = _SlowSource(_find_source(credentials), begin)
	snapshot = SnapshotDataset(filepath=str(folder), part_rows=_PART_ROWS)
	snapshot.save(Extraction(slow, since, date(2026, 11, 23), timedelta(days=1)))
	snapshot.publish()


def _measure(credentials, folder, since):
	"""Seconds from the first rows to the end."""
	begun = _Stopwatch()
	extract(credentials, folder, since, begun)
	return time.monotonic() - begun.at


class _Stopwatch:
	at = 0.0

	def set(self):
		self.at = self.at or time.monotonic()


def _find_source(credentials):
	return SourceTableDataset(
		system="warehouse",
		table="loans",
		query="loantap.pipelines.ingestion:sql/loans.sql",
		credentials=credentials,
		time_limit_s=60,
		silence_limit_s=20,
	).load()


def _read_source(credentials):
	return _order(_find_source(credentials).read().read_all().to_pandas())


def _read_snapshot(folder):
	return _order(SnapshotDataset(filepath=str(folder)).load())


def _order(rows):
	return rows.sort_values(["loan_id", "updated_at"], ignore_index=True)


def test_killed_at_any_moment_it_loses_and_doubles_no_row(tmp_path):
	path = tmp_path / "warehouse.duckdb"

	def run_sql(statement):
		with duckdb.connect(str(path)) as connection:
			connection.execute(statement)

	run_sql(_LOANS)

	writing = kill_extractions({"backend": "duckdb", "path": str(path)}, tmp_path / "01_raw" / "loans", run_sql)

	# Of ten each; the others had ended, or had not begun to write.
	assert writing["all"] >= 3
	assert writing[None] >= 3
