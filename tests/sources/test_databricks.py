import logging
import sys
from datetime import datetime

import pyarrow as pa
import pytest

from loantap.databases.backends import make_backend
from loantap.databases.backends.interface import Query, SourceDownError
from loantap.portfolio.errors import InputError
from tests.sources.source_rows import find_source, make_loans, tell

ALL = Query("SELECT * FROM loans")
WRONG = "dapi/wr0ng+=="


@pytest.fixture
def loans(databricks):
	rows = make_loans(20_000)
	databricks.load("loans", rows)
	return rows


@pytest.fixture
def revocable(databricks):
	"""The server; its token is good again afterwards."""
	token = databricks.token
	yield databricks
	databricks.allow([token])


def find_backend(connection, **limits):
	return make_backend("business_events", {"connection": connection}, **limits)


def query(databricks, sql):
	return find_backend(databricks.connection).read(Query(sql)).read_all()


def fail(databricks, connection):
	with pytest.raises(InputError) as failed:
		find_backend(connection).read(ALL).read_all()
	told = tell(failed.value)
	assert not [word for word in (databricks.token, WRONG, "%2B%3D") if word in told]
	assert "business_events" in failed.value.where
	assert not isinstance(failed.value, SourceDownError)
	return failed.value


def expect(error, problem, remedy):
	assert problem in error.problem
	assert remedy in error.remedy


def test_neither_token_nor_rows_are_logged(databricks, loans, caplog):
	with caplog.at_level(logging.DEBUG):
		read = find_backend(databricks.connection).read(ALL).read_all()

	assert read["loan_id"][0].as_py() == "00000000"
	assert not [word for word in (databricks.token, "00000000") if word in caplog.text]


@pytest.mark.parametrize(
	("connect", "problem", "remedy"),
	[
		(lambda server: server.connect_as(WRONG), "the login is refused", "a token may have expired"),
		(
			lambda server: server.connect_as(server.token, http_path="/sql/1.0/warehouses/other"),
			"there is no SQL warehouse at this path",
			"Copy http_path",
		),
		(
			lambda server: server.connection.replace("schema=business_events", "schema=nowhere"),
			"the database is not there",
			"Correct database, catalog and schema",
		),
		(
			lambda server: server.connection.partition("&tls_ca_file")[0],
			"the encrypted connection is not trusted",
			"tls_ca_file",
		),
		(
			lambda server: server.connection.replace("ca.pem", "no-such.pem"),
			"no-such.pem, which tls_ca_file names",
			"Correct the path",
		),
	],
	ids=["token", "warehouse", "schema", "authority", "certificate"],
)
def test_a_login_that_is_wrong(connect, problem, remedy, databricks, caplog):
	with caplog.at_level(logging.DEBUG):
		expect(fail(databricks, connect(databricks)), problem, remedy)

	assert WRONG not in caplog.text


def test_a_token_that_is_revoked_in_mid_read(revocable, loans):
	reader = find_backend(revocable.connection).read(ALL, batch_rows=1_000)
	reader.read_next_batch()
	revocable.allow(["another one"])

	with pytest.raises(InputError, match="the login is refused") as failed:
		reader.read_all()
	expect(failed.value, "Invalid access token", "a token may have expired")


def test_the_session_is_told_when_nobody_waits_any_more(databricks):
	"""By STATEMENT_TIMEOUT, in seconds, for which Spark has another name."""
	backend = find_backend(databricks.connection, answer_limit_s=122.5)

	told = backend.read(Query("SET spark.sql.thriftServer.queryTimeout")).read_all()

	assert told["value"].to_pylist() == ["123"]


def test_without_the_connector_its_package_is_named(databricks, monkeypatch):
	monkeypatch.setitem(sys.modules, "databricks", None)

	error = fail(databricks, databricks.connection)

	expect(error, "the Databricks connector is not available", "pip install loantap[databricks]")


def test_a_reading_sees_one_state_of_the_table(databricks, loans):
	reader = find_source(databricks.connection, batch_rows=1_000).read()
	first = reader.read_next_batch()
	databricks.load("other", make_loans(10))
	databricks.run_sql("DROP TABLE business_events.loans")

	assert pa.Table.from_batches([first, *reader]).equals(loans)


def test_a_float_of_four_bytes_is_one_of_eight(databricks):
	databricks.load("numbers", pa.table({"a": pa.array([1.5, None, 0.1], pa.float32())}))

	read = query(databricks, "SELECT a FROM numbers")

	assert read.schema.types == [pa.float64()]
	assert read["a"].to_pylist() == [1.5, None, pytest.approx(0.1)]


# The server's own zone is Asia/Kolkata, five and a half hours ahead of UTC.


def test_the_session_is_in_utc(databricks):
	said = query(
		databricks,
		"SELECT current_timezone() a, TIMESTAMP '2016-01-01 00:00:00' b,  TIMESTAMP '2016-01-01 00:00:00+05:30' c",
	)

	assert said.to_pylist() == [{"a": "UTC", "b": datetime(2016, 1, 1), "c": datetime(2015, 12, 31, 18, 30)}]
