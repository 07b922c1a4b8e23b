from datetime import datetime

import pyarrow as pa
import pytest

from loantap.databases.backends import make_backend
from loantap.databases.backends.interface import Query
from tests.sources.source_rows import find_source, make_loans


@pytest.fixture
def loans(databricks):
    rows = make_loans(1_000)
    databricks.load("loans", rows)
    return rows


def query(databricks, sql):
    backend = make_backend("business_events", {"connection": databricks.connection})
    return backend.read(Query(sql)).read_all()


def test_a_reading_sees_one_state_of_the_table(databricks, loans):
    reader = find_source(databricks.connection, batch_rows=100).read()
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
