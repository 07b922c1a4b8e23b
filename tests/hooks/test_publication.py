import shutil
from unittest.mock import create_autospec

import duckdb
import pandas as pd
import pytest
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.io import DataCatalog
from kedro.pipeline import pipeline

from loantap.databases.backends import embedded
from loantap.datasets import StagedDataset, TargetTableDataset
from loantap.hooks import publication
from loantap.hooks.publication import Transaction, publish, recover
from loantap.hooks.record import _tell_command
from loantap.hooks.run import RunHook
from loantap.portfolio.errors import InputError
from loantap.project.journal import Journal, read_journals
from loantap.project.lock import ALL_PUBLISHED, NOTHING_PUBLISHED, lock_of


@pytest.fixture
def file(tmp_path):
	dataset = {"type": "pandas.ParquetDataset", "filepath": str(tmp_path / "loans.parquet")}
	return StagedDataset(dataset=dataset)


@pytest.fixture
def make_table(tmp_path):
	def make(name, key):
		credentials = {"backend": "duckdb", "path": str(tmp_path / "warehouse.duckdb")}
		return TargetTableDataset(system="warehouse", table=name, key=[key], mode="replace", credentials=credentials)

	return make


@pytest.fixture
def table(make_table):
	return make_table("portfolio", "loan_id")


def test_an_interrupted_run_is_forgotten_when_the_next_begins(file, tmp_path):
	"""In a notebook, say: Kedro tells hooks of errors, and not of Ctrl-C."""
	catalog = DataCatalog({"loans": file})
	transaction = Transaction()
	transaction.begin({"project_path": str(tmp_path)}, catalog)
	catalog.save("loans", pd.DataFrame({"loan_id": ["a"]}))
	assert catalog.exists("loans")

	transaction.discard(["loans"])

	assert not catalog.exists("loans")
	assert list(tmp_path.iterdir()) == []


# A run that ends well but cannot be written back publishes nothing.


def end_run(folder, outputs):
	lock = lock_of(folder)
	lock.acquire()
	transaction = Transaction()
	catalog = DataCatalog({name: dataset for name, (dataset, _) in outputs.items()})
	transaction.begin({"project_path": str(folder)}, catalog)
	for name, (_, rows) in outputs.items():
		catalog.save(name, rows)
	try:
		transaction.publish(catalog, list(outputs))
	except InputError:
		transaction.discard(list(outputs))
		raise
	finally:
		lock.release()
		shutil.rmtree(folder / "data")


def test_no_file_appears_and_nothing_stays_staged(file, table, tmp_path):
	twice = pd.DataFrame({"loan_id": ["a", "a"]})
	with pytest.raises(InputError, match="the key loan_id is not unique"):
		end_run(tmp_path, {"loans": (file, twice), "portfolio": (table, twice)})

	assert [path.name for path in tmp_path.iterdir()] == ["warehouse.duckdb"]
	with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
		assert connection.execute("SHOW TABLES").fetchall() == []


def test_no_other_table_of_the_database_changes(table, make_table, tmp_path):
	"""The first in the order of names has been merged when the second is refused."""
	account = make_table("account", "table")
	account.save(pd.DataFrame({"table": ["loans"]}))
	account.publish()
	outputs = {
		"account": (account, pd.DataFrame({"table": ["loans", "loan_events"]})),
		"portfolio": (table, pd.DataFrame({"loan_id": ["a", "a"]})),
	}
	with pytest.raises(InputError, match="the key loan_id is not unique"):
		end_run(tmp_path, outputs)

	assert account.load().read_all()["table"].to_pylist() == ["loans"]
	with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
		assert connection.execute("SHOW TABLES").fetchall() == [("account",)]


def test_warehouse_that_refuses_otherwise_both_appear(file, table, tmp_path):
	rows = pd.DataFrame({"loan_id": ["a", "b"]})
	end_run(tmp_path, {"loans": (file, rows), "portfolio": (table, rows)})

	assert len(pd.read_parquet(tmp_path / "loans.parquet")) == 2
	assert table.load().read_all().num_rows == 2


class TestInterruption:
	"""What is told of a run that is interrupted while it publishes, or when it has."""

	@pytest.fixture
	def lock(self, tmp_path):
		lock = lock_of(tmp_path)
		lock.acquire()
		yield lock
		lock.release()

	def tell(self, lock, catalog):
		hook = RunHook()
		hook._use._lock = lock
		hook._arguments = {"run_params": {}, "pipeline": pipeline([]), "catalog": catalog}
		hook.fail(create_autospec(_create_hook_manager().hook), KeyboardInterrupt())
		return lock.outcome

	def test_after_everything_was_published_it_says_so_and_the_next_run_does_not(self, lock, table):
		table.save(pd.DataFrame({"loan_id": ["a"]}))
		publish([table], lock)
		assert self.tell(lock, DataCatalog()) == ALL_PUBLISHED

		lock.release()
		lock.acquire()
		assert self.tell(lock, DataCatalog()) == NOTHING_PUBLISHED

	def test_while_the_journal_is_written_nothing_is_published(self, lock, table, monkeypatch):
		write = Journal.write

		def write_and_be_interrupted(journal, folder):
			write(journal, folder)
			raise KeyboardInterrupt

		table.save(pd.DataFrame({"loan_id": ["a"]}))
		monkeypatch.setattr(Journal, "write", write_and_be_interrupted)
		with pytest.raises(KeyboardInterrupt):
			publish([table], lock)

		assert self.tell(lock, DataCatalog()) == NOTHING_PUBLISHED
		assert list(read_journals(lock.folder)) == []

	def test_where_the_warehouse_does_not_answer_nobody_knows_and_the_next_run_finds_out(self, lock, table, monkeypatch):
		def be_interrupted(*_):
			raise KeyboardInterrupt

		def refuse(*_, **__):
			raise duckdb.IOException("Could not set lock on file: held by process 12")

		table.save(pd.DataFrame({"loan_id": ["a"]}))
		with monkeypatch.context() as patch:
			patch.setattr(publication, "publish_together", be_interrupted)
			patch.setattr(embedded, "connect", refuse)
			with pytest.raises(KeyboardInterrupt):
				publish([table], lock)
			told = self.tell(lock, DataCatalog())
			assert told.startswith("whether its tables are published is not known")
			lock.acquire()
			with pytest.raises(InputError, match="Close every other program"):
				recover(lock)

		recover(lock)
		assert list(read_journals(lock.folder)) == []


@pytest.mark.parametrize(
	("run", "command"),
	[
		({"pipeline_names": None, "env": None, "runtime_params": {}}, "kedro run"),
		(
			{"pipeline_names": ["modeling", "scoring"], "env": "odbc", "runtime_params": {"portfolio": "my loans.csv"}},
			"kedro run --pipelines modeling,scoring --env odbc --params 'portfolio=my loans.csv'",
		),
	],
)
def test_the_command_in_the_evidence_can_be_pasted(run, command):
	assert _tell_command(run) == command
