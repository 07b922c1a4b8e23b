"""What goes wrong with Databricks, provoked for real: the error says what it is and what to do.

Open-source Spark knows no rights on tables; what Databricks says of a missing one is taken from
its documentation.
"""

import logging
import sys

import pytest

from loantap.databases.backends import make_backend
from loantap.databases.backends.faults import explain
from loantap.databases.backends.interface import Query, SourceDownError
from loantap.portfolio.errors import InputError
from tests.sources.source_rows import find_source, make_loans, tell

ALL = Query("SELECT * FROM loans")
WRONG = "dapi/wr0ng+=="
# Bytes of rows after which the network fails: beyond what the first batches take.
ENOUGH = 500_000


@pytest.fixture
def loans(databricks):
    """20,000 loans, in Databricks as well."""
    rows = make_loans(20_000)
    databricks.load("loans", rows)
    return rows


@pytest.fixture
def revocable(databricks):
    """The server; its token is good again afterwards."""
    token = databricks.token
    yield databricks
    databricks.allow([token])


def find_backend(connection):
    return make_backend("business_events", {"connection": connection})


def fail(databricks, connection, sql=ALL.text):
    """The error of reading; neither it nor what led to it may tell a token."""
    with pytest.raises(InputError) as failed:
        find_backend(connection).read(Query(sql)).read_all()
    expect_no_secret(failed.value, databricks)
    assert "business_events" in failed.value.where
    return failed.value


def expect_no_secret(error, databricks):
    assert databricks.token
    told = tell(error)
    assert not [word for word in (databricks.token, WRONG, "%2B%3D") if word in told]


def expect(error, *, problem, remedy, passes=False):
    assert problem in error.problem
    assert remedy in error.remedy
    assert isinstance(error, SourceDownError) is passes


class TestLogin:
    def test_neither_token_nor_rows_are_logged(self, databricks, loans, caplog):
        with caplog.at_level(logging.DEBUG):
            read = find_backend(databricks.connection).read(ALL).read_all()

        assert read["loan_id"][0].as_py() == "00000000"
        assert not [word for word in (databricks.token, "00000000") if word in caplog.text]

    def test_a_wrong_token(self, databricks, caplog):
        with caplog.at_level(logging.DEBUG):
            error = fail(databricks, databricks.connect_as(WRONG))

        expect(error, problem="the login is refused", remedy="a token may have expired")
        assert WRONG not in caplog.text

    def test_a_token_that_is_revoked_in_mid_read(self, revocable, loans):
        reader = find_backend(revocable.connection).read(ALL, batch_rows=1_000)
        reader.read_next_batch()
        revocable.allow(["another one"])

        with pytest.raises(InputError, match="the login is refused") as failed:
            reader.read_all()
        expect(failed.value, problem="Invalid access token", remedy="a token may have expired")

    def test_an_unknown_warehouse(self, databricks):
        connection = databricks.connect_as(databricks.token, http_path="/sql/1.0/warehouses/other")

        expect(
            fail(databricks, connection),
            problem="there is no SQL warehouse at this path",
            remedy="Copy http_path",
        )

    def test_an_unknown_schema(self, databricks):
        connection = databricks.connection.replace("schema=business_events", "schema=nowhere")

        expect(
            fail(databricks, connection),
            problem="the database is not there",
            remedy="Correct database, catalog and schema",
        )

    def test_a_certificate_of_an_unknown_authority(self, databricks):
        connection = databricks.connection.partition("&tls_ca_file")[0]

        expect(
            fail(databricks, connection),
            problem="the encrypted connection is not trusted",
            remedy="tls_ca_file",
        )


class TestTable:
    def test_a_missing_table(self, databricks):
        error = fail(databricks, databricks.connection, "SELECT * FROM nowhere")

        expect(error, problem="the table is not there", remedy="Correct the schema")
        assert "`nowhere`" in error.problem

    def test_a_missing_column(self, databricks, loans):
        error = fail(databricks, databricks.connection, "SELECT colour FROM loans")

        expect(error, problem="a column is not there", remedy="Have it restored at the source")
        assert "`colour`" in error.problem

    @pytest.mark.parametrize(
        "said",
        [
            "[INSUFFICIENT_PERMISSIONS] No privilege SELECT on table loans. SQLSTATE: 42501",
            "PERMISSION_DENIED: User does not have USE SCHEMA on Schema 'main.business_events'.",
        ],
    )
    def test_a_missing_right(self, said):
        error = explain("business_events", said, ())

        expect(error, problem="the login is not allowed", remedy="GRANT SELECT ON the table")


class TestNetwork:
    def test_the_session_is_told_when_nobody_waits_any_more(self, databricks):
        """By STATEMENT_TIMEOUT, in seconds, for which Spark has another name."""
        credentials = {"connection": databricks.connection}
        backend = make_backend("business_events", credentials, answer_limit_s=122.5)

        told = backend.read(Query("SET spark.sql.thriftServer.queryTimeout")).read_all()

        assert told["value"].to_pylist() == ["123"]

    def test_a_certificate_that_is_not_there(self, databricks):
        connection = databricks.connection.replace("ca.pem", "no-such.pem")

        expect(
            fail(databricks, connection),
            problem="no-such.pem, which tls_ca_file names",
            remedy="Correct the path",
        )

    def test_a_server_that_stops_in_mid_read_and_comes_back(self, databricks, loans):
        source = find_source(databricks.connection, batch_rows=1_000)
        reader = source.read()
        reader.read_next_batch()
        databricks.halt()
        with pytest.raises(SourceDownError):
            reader.read_all()

        databricks.start()

        assert source.persist(lambda: source.read().read_all()).equals(loans)


def test_without_the_connector_its_package_is_named(databricks, monkeypatch):
    monkeypatch.setitem(sys.modules, "databricks", None)

    expect(
        fail(databricks, databricks.connection),
        problem="the Databricks connector is not available",
        remedy="pip install loantap[databricks]",
    )
