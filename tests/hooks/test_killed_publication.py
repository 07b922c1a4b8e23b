import json
import multiprocessing
import os
import shutil
import sqlite3
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import duckdb
import mlflow
import pandas as pd
import pytest

from loantap.databases.backends.embedded import DuckDBTransaction, WritableDuckDB
from loantap.datasets import RegisteredModelDataset, StagedDataset, TargetTableDataset
from loantap.datasets.staged import FilePublishable, StagedFile
from loantap.hooks.publication import publish, recover
from loantap.project.lock import ProjectLock
from loantap.registry.connection import use_registry
from loantap.registry.models import ModelVersion

OLD, NEW = "old", "new"
TABLES = ("portfolio", "reconciliation")
MODEL = "loantap-lending-demo"
KILLED = 9

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.hooks.test_killed_publication"])


class _Folder:
	"""A table that is a folder of parts, as a cluster writes it."""

	def __init__(self, path, value):
		self._file = StagedFile(path)
		with self._file.writing() as staged:
			staged.mkdir()
			pd.DataFrame({"value": [value]}).to_parquet(staged / "part-000000.parquet")

	@property
	def filepath(self):
		return self._file.path

	def renames(self):
		return self._file.renames

	def publish(self):
		self._file.publish()

	def discard(self):
		self._file.discard()


def save(project, value):
	"""What a run has saved in files and tables, all of it saying the same."""
	warehouse = {"backend": "duckdb", "path": str(project / "data" / "warehouse.duckdb")}
	rows = pd.DataFrame({"loan_id": ["a"], "value": [value]})
	report = StagedDataset(dataset={"type": "json.JSONDataset", "filepath": str(project / "data" / "metrics.json")})
	report.save({"value": value})
	loans = StagedDataset(dataset={"type": "pandas.ParquetDataset", "filepath": str(project / "data" / "loans.parquet")})
	loans.save(rows)
	tables = [
		TargetTableDataset(system="warehouse", table=name, key=["loan_id"], mode="replace", credentials=warehouse)
		for name in TABLES
	]
	for table in tables:
		table.save(rows)
	return [report, loans, _Folder(project / "data" / "scores.parquet", value), *tables]


def register(value):
	"""A version that a run has registered and found better."""
	verdict = SimpleNamespace(promoted=True, reason=f"the {value} one is better")
	facts = SimpleNamespace(not_for_lending=False)
	model = RegisteredModelDataset(namespace="lending")
	version = ModelVersion(MODEL, "1" if value == OLD else "2")
	model._pending = (version, SimpleNamespace(verdicts=(verdict,), trained=SimpleNamespace(facts=facts)))
	return model


def make_old(project):
	lock = ProjectLock(project)
	lock.acquire()
	publish(save(project, OLD), lock)
	lock.release()


def make_old_model(project, store):
	"""A project after a good run, with a champion and a second version registered by the next."""
	shutil.copy(store, project / "mlflow.db")
	_use_registry(project)
	client = mlflow.MlflowClient()
	client.create_registered_model(MODEL)
	for _ in range(2):
		client.create_model_version(MODEL, source=(project / "model").as_uri())
	make_old(project)
	register(OLD).publish()


def run_and_be_killed(project, at):
	"""Save and publish files and tables; the process is killed before the step of that number."""
	steps = [(Path, "replace"), (Path, "unlink"), (shutil, "rmtree"), (os, "fsync"), (DuckDBTransaction, "execute")]
	_publish_and_be_killed(project, [], steps, at)


def run_with_model_and_be_killed(project, at):
	"""The same with a model; killed before a step from its verdict on."""
	_use_registry(project)
	client = mlflow.MlflowClient
	steps = [(client, "set_model_version_tag"), (client, "set_registered_model_alias")]
	_publish_and_be_killed(project, [register(NEW)], steps, at)


def _publish_and_be_killed(project, models, steps, at):
	lock = ProjectLock(project)
	lock.acquire()
	saved = [*save(project, NEW), *models]
	outputs = tuple(d.filepath for d in saved if isinstance(d, FilePublishable))
	lock.note(outputs=outputs, databases=(project / "data" / "warehouse.duckdb",))
	with _killed_before(at, steps):
		publish(saved, lock)
	lock.release()


def recover_as_the_next_run(project):
	if (project / "mlflow.db").exists():
		_use_registry(project)
	lock = ProjectLock(project)
	lock.acquire()
	recover(lock)
	lock.release()


def tell_state(project):
	data = project / "data"
	state = {
		"metrics": json.loads((data / "metrics.json").read_text())["value"],
		"loans": pd.read_parquet(data / "loans.parquet")["value"].item(),
		"scores": pd.read_parquet(data / "scores.parquet")["value"].item(),
	}
	with duckdb.connect(str(data / "warehouse.duckdb"), read_only=True) as connection:
		for table in TABLES:
			((state[table],),) = connection.execute(f"SELECT value FROM {table}").fetchall()  # noqa: S608
	if not (project / "mlflow.db").exists():
		return state
	with closing(sqlite3.connect(project / "mlflow.db")) as store:
		((version,),) = store.execute("SELECT version FROM registered_model_aliases").fetchall()
	return state | {"champion": OLD if version == 1 else NEW}


def list_leftovers(project):
	"""Hidden files, accounts and staging tables that nobody needs any more."""
	data = project / "data"
	with duckdb.connect(str(data / "warehouse.duckdb"), read_only=True) as connection:
		tables = [name for (name,) in connection.execute("SHOW TABLES").fetchall()]
	return [
		*(name for name in tables if name not in TABLES),
		*(path.name for path in data.glob(".*") if path.name != ".run"),
		*(path.name for path in (data / ".run").iterdir() if path.name != "lock"),
	]


def _use_registry(project):
	use_registry(f"sqlite:///{project / 'mlflow.db'}")


@contextmanager
def _killed_before(at, steps):
	done = 0

	def step():
		nonlocal done
		if done == at:
			os._exit(KILLED)
		done += 1

	def counted(function):
		def counting(*args, **kwargs):
			step()
			return function(*args, **kwargs)

		return counting

	transaction = WritableDuckDB.transaction

	@contextmanager
	def counted_transaction(self):
		with transaction(self) as opened:
			yield opened
			step()  # all is said, and nothing committed
		step()

	with ExitStack() as patched:
		for place, name in steps:
			patched.enter_context(patch.object(place, name, counted(getattr(place, name))))
		if (DuckDBTransaction, "execute") in steps:
			patched.enter_context(patch.object(WritableDuckDB, "transaction", counted_transaction))
		yield


def call(function, *arguments):
	process = _context.Process(target=function, args=arguments)
	process.start()
	process.join()
	return process.exitcode


def kill_before_each_step(project, run, recover):
	"""How each run ended, and what all outputs say when the next one has begun."""
	good = project.with_name("good")
	shutil.copytree(project, good)
	found = []
	while not found or found[-1][0] == KILLED:
		step = len(found)
		shutil.rmtree(project)
		shutil.copytree(good, project)
		ended = call(run, project, step)
		recover(project)

		state = tell_state(project)
		assert len(set(state.values())) == 1, f"killed before step {step}: {state}"
		assert list_leftovers(project) == [], f"killed before step {step}"
		found.append((ended, state["loans"]))
	return found


@pytest.fixture
def project(tmp_path):
	folder = tmp_path / "project"
	folder.mkdir()
	return folder


def test_before_any_step_all_is_as_before_or_all_is_new(project):
	assert call(make_old, project) == 0

	found = kill_before_each_step(project, run_and_be_killed, recover_as_the_next_run)

	# Nothing is published before one certain step, and everything from there on.
	states = [state for _, state in found]
	assert states == sorted(states, key=[OLD, NEW].index)
	assert states.count(OLD) > 10
	assert states.count(NEW) > 10
	assert found[-1] == (0, NEW)


def test_before_any_step_of_a_verdict_the_champion_goes_with_the_files(project, empty_store):
	assert call(make_old_model, project, empty_store) == 0

	found = kill_before_each_step(
		# MLflow keeps its connection to a store for as long as the process lives.
		project,
		run_with_model_and_be_killed,
		lambda project: call(recover_as_the_next_run, project),
	)

	assert found == [(KILLED, NEW)] * 3 + [(0, NEW)]
