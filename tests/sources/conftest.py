import pytest

from tests.conftest import require
from tests.sources.real_project import Servers, in_environment
from tools.sources import derby, thrift_server
from tools.sources import postgres as postgres_support
from tools.sources.derby import Derby
from tools.sources.postgres import Postgres
from tools.sources.thrift_server import ThriftServer


def _start(support, system):
	missing = support.missing()
	require(missing is None, f"{system.__name__} or its driver is not all there: {missing}")
	with system() as server:
		yield server


@pytest.fixture(scope="session")
def postgres():
	yield from _start(postgres_support, Postgres)


@pytest.fixture
def warehouse(postgres):
	"""The PostgreSQL server, the schema of our own tables empty."""
	postgres.clear_output()
	return postgres


@pytest.fixture(scope="session")
def db2():
	"""A server that IBM's driver takes for DB2, as Appstream, without tables."""
	yield from _start(derby, Derby)


@pytest.fixture(scope="session")
def databricks():
	"""A server that the connector takes for Databricks, as the event store, without tables."""
	yield from _start(thrift_server, ThriftServer)


@pytest.fixture(scope="module")
def servers(postgres, db2, databricks, tables):
	"""All three, with the `tables` of the module."""
	made = Servers(postgres, db2, databricks)
	made.load(tables)
	return made


@pytest.fixture
def _where_the_servers_are(servers):
	with in_environment(servers):
		yield
