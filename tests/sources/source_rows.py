from datetime import date, datetime, timedelta

import pandas as pd
import pyarrow as pa
import pytest
from kedro.io import DatasetError
from pandas.testing import assert_frame_equal

from loantap.datasets import SnapshotDataset, SourceTableDataset
from loantap.portfolio.errors import InputError
from loantap.snapshots.extraction import Extraction

EMOJI = "Bäcker 面包师 👩🏽‍🍳"
FIRST_UPDATE = datetime(2016, 1, 1)
AS_OF = date(2026, 11, 23)


def make_loans(rows, **columns):
	"""Loans, each changed a minute after the one before; `columns` are replaced."""
	made = {
		"loan_id": [f"{number:08d}" for number in range(rows)],
		"loan_amnt": [1_000.0 + number / 3 for number in range(rows)],
		"term": [" 36 months"] * rows,
		"int_rate": [None if number % 7 == 0 else number / 3 for number in range(rows)],
		"installment": [100 + number / 7 for number in range(rows)],
		"grade": ["B"] * rows,
		"sub_grade": ["B4"] * rows,
		"issue_d": ["Jan-2014"] * rows,
		"loan_status": [None if n % 5 == 0 else "Fully Paid" for n in range(rows)],
		"initial_list_status": ["w"] * rows,
		"updated_at": [FIRST_UPDATE + timedelta(minutes=number) for number in range(rows)],
		"origin": ["real"] * rows,
	}
	numbers = dict.fromkeys(("loan_amnt", "int_rate", "installment"), pa.float64())
	types = numbers | {"updated_at": pa.timestamp("us")}
	schema = pa.schema([(name, types.get(name, pa.string())) for name in made])
	return pa.table(made | columns, schema)


def find_source(connection, **changes):
	given = {
		"system": "warehouse",
		"table": "loans",
		"query": "loantap.pipelines.ingestion:sql/loans.sql",
		"credentials": {"connection": connection},
		# Rather an error than a test that waits.
		"time_limit_s": 60,
		"silence_limit_s": 20,
	}
	return SourceTableDataset(**(given | changes)).load()


def expect_remedy(error, *, problem, remedy, where="warehouse, table loans"):
	"""An error names the table, what is wrong and what to do."""
	assert error.where == where
	assert problem in error.problem
	assert remedy in error.remedy


def tell(error):
	"""Everything that an error, and whatever led to it, could show."""
	told = ""
	while error is not None:
		told += f"{error!r} {error} {vars(error)}"
		error = error.__cause__ or error.__context__
	return told


class Copy:
	"""The snapshot of a source table, as one run after the other brings it up to date."""

	def __init__(self, folder):
		self.folder = folder

	def extract(self, source, since=None):
		snapshot = SnapshotDataset(filepath=str(self.folder))
		snapshot.save(Extraction(source, since, AS_OF, timedelta(days=1)))
		snapshot.publish()

	def fail(self, source, secret):
		"""The error of an extraction, which does not tell a secret wherever one looks."""
		with pytest.raises(DatasetError) as failed:
			self.extract(source)
		assert secret not in tell(failed.value)
		assert isinstance(failed.value.__cause__, InputError)
		return failed.value.__cause__

	def load(self):
		rows: pd.DataFrame = SnapshotDataset(filepath=str(self.folder)).load()
		return rows

	def expect(self, rows):
		ordered = self.load().sort_values("loan_id", ignore_index=True)
		assert_frame_equal(ordered, rows.to_pandas())

	def contents(self):
		return {path.name: path.read_bytes() for path in self.folder.iterdir()}
