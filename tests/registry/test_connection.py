import os
import sqlite3
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import mlflow
import pytest

from loantap.registry import connection
from loantap.registry.connection import (
	ADDRESS_VARIABLE,
	RegistryDownError,
	asking_registry,
	persist,
	registry_address,
	use_registry,
	wait_for,
)
from loantap.registry.models import find_champion


@pytest.mark.parametrize(
	("uri", "shown"),
	[
		("https://mlflow.example.org", "https://mlflow.example.org"),
		("postgresql://risk:s3cret@db:5432/mlflow", "postgresql://risk:***@db:5432/mlflow"),
	],
)
def test_an_address_is_shown_without_its_password(uri, shown):
	use_registry(uri)

	assert registry_address() == shown


@pytest.mark.parametrize("before", [None, "sqlite:///mine.db"])
def test_what_the_environment_says_of_the_address_stays(before, monkeypatch):
	monkeypatch.delenv(ADDRESS_VARIABLE, raising=False)
	if before:
		monkeypatch.setenv(ADDRESS_VARIABLE, before)
	use_registry("https://mlflow.example.org")

	assert os.environ.get(ADDRESS_VARIABLE) == before


def test_a_server_that_nobody_runs_is_down_within_seconds(monkeypatch):
	monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
	monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
	use_registry("http://127.0.0.1:9")

	started = time.monotonic()
	with pytest.raises(RegistryDownError, match=r"127\.0\.0\.1:9"):
		find_champion("loantap-lending")
	assert time.monotonic() - started < 10


@contextmanager
def held(database, seconds=None):
	"""Locked for so many seconds, or to the end."""
	other = sqlite3.connect(database, check_same_thread=False)
	other.execute("BEGIN EXCLUSIVE")
	release = threading.Timer(seconds or 0, other.rollback)
	if seconds:
		release.start()
	try:
		yield
	finally:
		if not seconds:
			release.start()
		release.join()
		other.close()


class TestPatience:
	@pytest.fixture(autouse=True)
	def _as_usual_afterwards(self):
		yield
		wait_for(None)

	def test_who_has_a_search_to_lose_waits_and_says_so(self, registry, caplog):
		wait_for(60)
		with held(registry.parent / "mlflow.db", 1.0):
			assert find_champion("loantap-lending") is None

		told = [record.message for record in caplog.records if "locked" in record.message]
		assert told == ["MLflow's database is locked by another process; waited 0 s of at most 60 s"]

	def test_the_wait_has_an_end_with_one_message(self, registry):
		client = mlflow.MlflowClient()
		client.search_registered_models()
		wait_for(0.5)
		started = time.monotonic()
		# The database was free when it was looked at.
		with (
			pytest.raises(RegistryDownError, match="database is locked") as refused,
			asking_registry(),
			held(registry.parent / "mlflow.db", 2.0),
		):
			client.create_registered_model("loantap-lending")

		assert 0.5 <= time.monotonic() - started < 10
		assert "\n" not in str(refused.value)

	def test_a_wait_is_told_every_15_seconds_and_usually_ends_after_20(self, monkeypatch, caplog):
		passed = []
		clock = SimpleNamespace(monotonic=lambda: 1_000 + sum(passed), sleep=passed.append)
		monkeypatch.setattr(connection, "time", clock)
		error = sqlite3.OperationalError("database is locked")

		def attempt():
			passed.append(0.5)
			raise error

		for code, tries in ((sqlite3.SQLITE_BUSY_SNAPSHOT, 27), (sqlite3.SQLITE_ERROR, 1)):
			error.sqlite_errorcode = code
			passed.clear()
			with pytest.raises(sqlite3.OperationalError):
				persist(attempt)
			assert passed == [0.5, *[0.25, 0.5] * (tries - 1)]
		assert [record.args for record in caplog.records] == [(0.5, 20.0), (15.5, 20.0)]

	def test_who_has_nothing_to_lose_is_told_soon(self, registry, monkeypatch):
		monkeypatch.setattr(connection, "_PATIENCE", 0.1)
		with held(registry.parent / "mlflow.db"), pytest.raises(RegistryDownError, match="database is locked"):
			find_champion("loantap-lending")
		assert find_champion("loantap-lending") is None


def test_a_database_that_is_missing_is_down_with_a_remedy_and_is_not_made(tmp_path):
	use_registry(f"sqlite:///{tmp_path / 'mlflow.db'}")

	with pytest.raises(RegistryDownError, match="there is no database") as refused:
		find_champion("loantap-lending")
	assert "\n" not in str(refused.value)
	assert "put its database back" in refused.value.remedy
	with asking_registry(must_exist=False):  # before the first training
		pass
	assert list(tmp_path.iterdir()) == []
