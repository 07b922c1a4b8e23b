from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest

from loantap.databases.backends import make_backend
from loantap.databases.backends.interface import Query
from loantap.databases.source_table import Account
from loantap.portfolio.errors import InputError
from tests.sources.source_rows import FIRST_UPDATE, expect_remedy, find_source, make_loans
from tools.sources.postgres import READER


@pytest.fixture
def loans(postgres):
	rows = make_loans(1_000)
	postgres.load("loans", rows)
	return rows


def query(postgres, sql, *parameters):
	backend = make_backend("warehouse", {"connection": postgres.connection})
	return backend.read(Query(sql, parameters)).read_all()


def test_a_reading_sees_one_state_of_the_table(postgres, loans):
	reader = find_source(postgres.connection, batch_rows=100).read()
	first = reader.read_next_batch()
	postgres.run_sql("UPDATE loans SET loan_status = 'Charged Off'; DELETE FROM loans")

	rest = reader.read_all()

	assert pa.concat_tables([pa.Table.from_batches([first]), rest]).equals(loans)


def test_a_flag_is_a_flag_and_not_a_number_is_not_missing(postgres):
	row = query(postgres, "SELECT true a, false b, CAST('NaN' AS numeric) c")

	assert str(row.to_pylist()) == "[{'a': True, 'b': False, 'c': nan}]"


def test_a_number_too_long_for_the_drivers_room_is_an_error(postgres):
	with pytest.raises(InputError, match="a value is longer than the limit"):
		query(postgres, "SELECT repeat('9', 60000)::numeric a")


def test_a_row_of_many_long_texts_arrives(postgres):
	"""Five megabytes; the driver's own limit for a text is 8,190 characters."""
	columns = ", ".join(f"repeat('\"', 4096) c{number}" for number in range(600))

	row = query(postgres, f"SELECT {columns}")

	assert row.num_columns == 600
	assert {column[0].as_py() for column in row.columns} == {'"' * 4_096}


@pytest.mark.parametrize(
	"options",
	[
		"ReadOnly=1",
		"UnknownSizes=1",
		"MaxLongVarcharSize=100",
		"ConnSettings={SET DateStyle TO 'German'; SET extra_float_digits=0}",
	],
)
def test_options_of_the_connection_change_no_value(options, postgres):
	backend = make_backend("warehouse", {"connection": f"{postgres.connection}{options};"})
	row = "SELECT 0.30000000000000004::float8 a, TIMESTAMP '2016-02-01' b, repeat('x', 300) c"

	assert backend.read(Query(row)).read_all().to_pylist() == [
		{"a": 0.30000000000000004, "b": datetime(2016, 2, 1), "c": "x" * 300}
	]


def test_whatever_a_row_consists_of_arrives_cell_for_cell(postgres):
	"""Rows cross the driver as text: what has a meaning there must not lose its own."""
	drawn = np.random.default_rng(7)
	pieces = [*"\"\\(),; \t'", "\n", "\r\n", "NULL", "{}", "?", "é", "👩", "x", "1"]
	texts = [None if drawn.random() < 0.1 else "".join(drawn.choice(pieces, drawn.integers(6))) for _ in range(3_000)]
	bits = drawn.integers(-(2**63), 2**63, 1_000)
	rows = pa.table(
		{
			"text_a": texts[:1_000],
			"number": pa.array(bits.view(float), from_pandas=False),
			"text_b": texts[1_000:2_000],
			"count": bits,
			"flag": pa.array(bits % 3, pa.int64()).cast(pa.bool_()),
			"at": pa.array(bits % (200 * 365 * 86_400 * 1_000_000), pa.timestamp("us")),
			"nothing": pa.nulls(1_000, pa.string()),
			"text_c": texts[2_000:],
		}
	)
	postgres.load("anything", rows)

	read = query(postgres, "SELECT * FROM anything")

	# Not a number is not equal to itself.
	assert read.cast(rows.schema).to_pandas().equals(rows.to_pandas())
	assert read.column("text_a").null_count == rows.column("text_a").null_count > 0


@pytest.mark.parametrize("time", ["infinity", "0044-03-15 BC", "10000-01-01"])
def test_a_time_beyond_the_calendar_is_an_error(time, postgres):
	"""Read value by value, the driver makes 44 AD of 44 BC, and today of the year 10000."""
	with pytest.raises(InputError, match="column a has a time that is not in the years 1 to"):
		query(postgres, f"SELECT 1, 2, TIMESTAMP '{time}' a")


@pytest.mark.parametrize(
	("value", "problem"),
	[
		("CAST('12.50' AS money)", "column a has a value that does not fit its type"),
		("CAST('a' AS bytea)", "column a is of type binary, which cannot be read"),
		("CAST('10:00' AS time)", "column a is of type time64[us], which cannot be read"),
	],
)
def test_a_value_that_has_no_plain_type_is_an_error(value, problem, postgres):
	with pytest.raises(InputError) as refused:
		query(postgres, f"SELECT 1, 'x', {value} a")

	assert problem in refused.value.problem
	assert "12.50" not in str(refused.value)


def test_a_longer_text_is_an_error_and_never_cut_off(postgres):
	postgres.load("loans", make_loans(2, sub_grade=["B4", "x" * 4_097]))

	with pytest.raises(InputError) as refused:
		find_source(postgres.connection).read().read_all()
	expect_remedy(
		refused.value,
		problem="column sub_grade has a text of 4,097 bytes; 4,096 are allowed",
		remedy="Shorten it at the source, or in a view",
	)


# The server is in India, half an hour off the full hours; rows are in UTC.


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_a_column_with_a_zone_is_compared_and_counted_in_utc(zone, postgres, monkeypatch):
	assert postgres.run_sql("SHOW timezone") == "Asia/Kolkata"
	# Which PostgreSQL's client libraries look at.
	monkeypatch.setenv("TZ", zone)
	monkeypatch.setenv("PGTZ", zone)
	postgres.load("loans", make_loans(3))
	postgres.run_sql("ALTER TABLE loans ALTER updated_at TYPE timestamptz USING updated_at AT TIME ZONE 'UTC'")
	source = find_source(postgres.connection)
	since = datetime(2016, 1, 1, 0, 2)

	assert source.read(since).read_all().equals(make_loans(3).slice(2))
	assert source.account(since) == Account(3, FIRST_UPDATE, since, 1)


def test_a_database_in_latin1_is_read_as_it_is(postgres):
	postgres.run_sql("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
	rows = make_loans(2, loan_status=["Bäcker £ ½", "ÿ"])
	postgres.load("loans", rows, database="latin")

	source = find_source(postgres.connect_as(READER, database="latin"))

	assert source.read().read_all().equals(rows)


# What the table looks like is held against the data dictionary before a row is read.


@pytest.mark.parametrize(
	"change",
	[
		"loan_amnt TYPE numeric(12, 2)",
		"loan_status TYPE varchar(40)",
		"issue_d TYPE date USING '2014-01-01'",
		"updated_at TYPE date",
	],
)
def test_another_type_of_the_same_family_will_do(change, postgres, loans):
	postgres.run_sql(f"ALTER TABLE loans ALTER {change}")

	assert find_source(postgres.connection).read().read_all().num_rows == 1_000


def test_a_data_source_of_this_machine_is_as_good_as_a_driver(postgres, tmp_path, monkeypatch):
	"""Half of the test is that the driver behind the name is recognised: times are in UTC."""
	(tmp_path / "odbc.ini").write_text(
		f"[warehouse]\nDriver=PostgreSQL Unicode\nServername=127.0.0.1\nPort={postgres.port}\nDatabase=loantap\n"
	)
	monkeypatch.setenv("ODBCINI", str(tmp_path / "odbc.ini"))
	login = f"DSN=warehouse;Uid={READER};Pwd={{{postgres.password_of(READER)}}};"
	backend = make_backend("warehouse", {"connection": login})

	rows = backend.read(Query("SELECT TIMESTAMPTZ '2016-01-01 00:00:00+00' a"))

	assert rows.read_all()["a"].to_pylist() == [FIRST_UPDATE]
