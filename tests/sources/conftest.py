from collections.abc import Iterator

import pytest

from tests.conftest import require
from tools.sources import derby as derby_support
from tools.sources import postgres as postgres_support
from tools.sources import thrift_server as thrift_server_support
from tools.sources.derby import Derby
from tools.sources.postgres import OUTPUT_SCHEMA, OWNER, Postgres
from tools.sources.thrift_server import ThriftServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    missing = postgres_support.missing()
    require(missing is None, f"PostgreSQL is not all there: {missing}")
    with Postgres() as server:
        yield server


@pytest.fixture
def warehouse(postgres: Postgres) -> Postgres:
    """The PostgreSQL server, the schema of our own tables empty."""
    postgres.run_sql(
        f"DROP SCHEMA IF EXISTS {OUTPUT_SCHEMA} CASCADE;CREATE SCHEMA {OUTPUT_SCHEMA} AUTHORIZATION {OWNER};"
    )
    return postgres


@pytest.fixture(scope="session")
def db2() -> Iterator[Derby]:
    """A server that IBM's driver takes for DB2, as Appstream, without tables."""
    missing = derby_support.missing()
    require(missing is None, f"Derby or IBM's driver is not all there: {missing}")
    with Derby() as server:
        yield server


@pytest.fixture(scope="session")
def databricks() -> Iterator[ThriftServer]:
    """A server that the connector takes for Databricks, as the event store, without tables."""
    missing = thrift_server_support.missing()
    require(missing is None, f"Spark or the Databricks connector is not all there: {missing}")
    with ThriftServer() as server:
        yield server
