"""The audit log on both systems: the same tests, on a SQLite file and on a PostgreSQL server."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pandas as pd
import psycopg
import pytest
from sqlalchemy import URL

from loantap.model.scoring.scorer import Scorer
from loantap.model.scoring.trained import TrainedModel
from loantap.serving.audit import engines as engines_module
from loantap.serving.audit.engines import open_engines
from loantap.serving.audit.schema import upgrade
from loantap.serving.audit.store import AuditStore
from tests.conftest import require, train, training_options
from tests.serving.entries import other_program
from tools.sources.postgres import ADMIN, Postgres
from tools.sources.system_packages import POSTGRES, find_postgres

DATABASE = "audit"
_EMPTY = """
SET session_replication_role = replica;
TRUNCATE records, personal, cases, help_offers;
"""


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
	require(find_postgres() is not None, f"PostgreSQL is not there: apt-get install {POSTGRES}")
	with Postgres() as server:
		server.run_sql(f"CREATE DATABASE {DATABASE}")
		engines = open_engines(make_url(server))
		upgrade(engines)
		engines.dispose()
		yield server


def make_url(server: Postgres, role: str = ADMIN, database: str = DATABASE) -> str:
	url = URL.create("postgresql", role, server.password_of(role), "127.0.0.1", server.port, database)
	return url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def sqlite_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
	"""A SQLite file with the tables of the log, which take a while to make: copy it."""
	path = tmp_path_factory.mktemp("log") / "audit.db"
	AuditStore.open(f"sqlite:///{path}").close()
	return path


@pytest.fixture(scope="session")
def lending(lending_model: TrainedModel) -> Scorer:
	return Scorer(lending_model, "loantap-lending-demo", "3")


@pytest.fixture(scope="session")
def application(simulated_loans: pd.DataFrame) -> Scorer:
	"""What prices offers."""
	trained = train(simulated_loans, training_options("application"))
	return Scorer(trained, "loantap-application-demo", "2")


@pytest.fixture(params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest) -> str:
	name: str = request.param
	return name


@pytest.fixture
def url(server: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
	if server == "sqlite":
		(tmp_path / "log").mkdir(0o700)
		shutil.copy(request.getfixturevalue("sqlite_log"), tmp_path / "log" / "audit.db")
		yield f"sqlite:///{tmp_path}/log/audit.db"
		return
	address = make_url(request.getfixturevalue("postgres"))
	with psycopg.connect(address.replace("+psycopg", "")) as connection:
		connection.execute(_EMPTY)
	yield address


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
	return f"sqlite:///{tmp_path}/log/audit.db"


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[AuditStore]:
	with closing(AuditStore.open(sqlite_url)) as opened:
		yield opened


@pytest.fixture
def shared(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[AuditStore, sqlite3.Connection]]:
	"""A log that waits for a moment only, and another program that holds it after `BEGIN IMMEDIATE`."""
	monkeypatch.setattr(engines_module, "WAIT_SECONDS", 0.1)
	with closing(AuditStore.open(sqlite_url)) as store, other_program(sqlite_url) as other:
		yield store, other


@pytest.fixture
def store(url: str) -> Iterator[AuditStore]:
	with closing(AuditStore.open(url)) as opened:
		yield opened
