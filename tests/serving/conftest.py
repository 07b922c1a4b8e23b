"""The audit log on both systems: the same tests, on a SQLite file and on a PostgreSQL server."""

import shutil
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import URL

from loantap.model.scoring.scorer import Scorer
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
def postgres():
	require(find_postgres() is not None, f"PostgreSQL is not there: apt-get install {POSTGRES}")
	with Postgres() as server:
		server.run_sql(f"CREATE DATABASE {DATABASE}")
		engines = open_engines(make_url(server))
		upgrade(engines)
		engines.dispose()
		yield server


def make_url(server, role=ADMIN, database=DATABASE):
	url = URL.create("postgresql", role, server.password_of(role), "127.0.0.1", server.port, database)
	return url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def sqlite_log(tmp_path_factory):
	"""The tables take a while to make: copy them."""
	path = tmp_path_factory.mktemp("log") / "audit.db"
	AuditStore.open(f"sqlite:///{path}").close()
	return path


@pytest.fixture(scope="session")
def lending(lending_model):
	return Scorer(lending_model, "loantap-lending-demo", "3")


@pytest.fixture(scope="session")
def application(simulated_loans):
	trained = train(simulated_loans, training_options("application"))
	return Scorer(trained, "loantap-application-demo", "2")


@pytest.fixture(params=["sqlite", "postgres"])
def server(request):
	name: str = request.param
	return name


@pytest.fixture
def url(server, tmp_path, request):
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
def sqlite_url(tmp_path):
	return f"sqlite:///{tmp_path}/log/audit.db"


@pytest.fixture
def sqlite_store(sqlite_url):
	with closing(AuditStore.open(sqlite_url)) as opened:
		yield opened


@pytest.fixture
def shared(sqlite_url, monkeypatch):
	"""Another program holds it after `BEGIN IMMEDIATE`."""
	monkeypatch.setattr(engines_module, "WAIT_SECONDS", 0.1)
	with closing(AuditStore.open(sqlite_url)) as store, other_program(sqlite_url) as other:
		yield store, other


@pytest.fixture
def store(url):
	with closing(AuditStore.open(url)) as opened:
		yield opened
