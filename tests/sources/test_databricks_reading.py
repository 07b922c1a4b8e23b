"""A table over the Databricks connector: what is in it arrives, and only that."""

import os
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from loantap.databases.backends import make_backend
from loantap.databases.backends.interface import Query
from loantap.databases.source_table import Account
from tests.sources.source_rows import FIRST_UPDATE, find_source, make_loans
from tools.sources.thrift_server import ThriftServer

EMOJI = "Bäcker 面包师 👩🏽‍🍳"


@pytest.fixture
def loans(databricks: ThriftServer) -> pa.Table:
    """1,000 loans, in Databricks as well."""
    rows = make_loans(1_000)
    databricks.load("loans", rows)
    return rows


def query(databricks: ThriftServer, sql: str, *parameters: str) -> pa.Table:
    backend = make_backend("business_events", {"connection": databricks.connection})
    return backend.read(Query(sql, parameters)).read_all()


class TestTable:
    def test_every_value_arrives_as_it_is(self, databricks: ThriftServer, loans: pa.Table) -> None:
        assert find_source(databricks.connection).read().read_all().equals(loans)

    def test_rows_come_in_batches_of_the_size_asked_for(
        self, databricks: ThriftServer, loans: pa.Table
    ) -> None:
        batches = list(find_source(databricks.connection, batch_rows=300).read())

        assert [batch.num_rows for batch in batches] == [300, 300, 300, 100]
        assert pa.Table.from_batches(batches).equals(loans)

    def test_a_table_without_rows_has_its_columns(self, databricks: ThriftServer) -> None:
        databricks.load("loans", make_loans(0))
        source = find_source(databricks.connection)

        assert source.read().read_all().equals(make_loans(0))
        assert source.account() == Account(0, None, None, 0)

    def test_the_account_says_what_a_reading_would_give(self, databricks: ThriftServer) -> None:
        rows = make_loans(1_000)
        times = [*rows["updated_at"].to_pylist()[:-1], None]
        databricks.load("loans", make_loans(1_000, updated_at=pa.array(times, pa.timestamp("us"))))
        source = find_source(databricks.connection)

        assert source.account() == Account(1_000, FIRST_UPDATE, times[998], 1_000)
        assert source.account(times[900]) == Account(1_000, FIRST_UPDATE, times[998], 100)
        assert source.read(times[900]).read_all()["loan_id"][-1].as_py() == "00000999"

    def test_a_reading_sees_one_state_of_the_table(
        self, databricks: ThriftServer, loans: pa.Table
    ) -> None:
        reader = find_source(databricks.connection, batch_rows=100).read()
        first = reader.read_next_batch()
        databricks.load("other", make_loans(10))
        databricks.run_sql("DROP TABLE business_events.loans")

        assert pa.Table.from_batches([first, *reader]).equals(loans)

    def test_the_session_ends_with_the_reader(
        self, databricks: ThriftServer, loans: pa.Table
    ) -> None:
        others = find_sessions(databricks)  # Of tests before, which cut or left theirs.
        reader = find_source(databricks.connection, batch_rows=10).read()
        reader.read_next_batch()
        session = find_sessions(databricks) - others
        assert len(session) == 1

        del reader

        assert not session & find_sessions(databricks)


def find_sessions(databricks: ThriftServer) -> set[str]:
    """Open sessions: the front has a connection to Spark for each; told by its own end."""
    listed = Path("/proc/net/tcp").read_text().splitlines()[1:]
    ends = [line.split()[1:4] for line in listed]
    port, established = f":{databricks.spark_port:04X}", "01"
    return {own for own, remote, state in ends if remote.endswith(port) and state == established}


class TestTypes:
    def test_numbers_of_any_kind_keep_their_digits_and_their_gaps(
        self, databricks: ThriftServer
    ) -> None:
        rows = pa.table(
            {
                "a": [0.1, None, -1.7976931348623157e308],
                "b": pa.array([2**53 + 1, None, -1], pa.int64()),
                "c": pa.array([2_147_483_647, None, 0], pa.int32()),
                "d": pa.array([-32_768, None, 1], pa.int16()),
                "e": pa.array([Decimal("12345678901.25"), None, Decimal("-0.50")]),
                "f": pa.array([1.5, None, 0.1], pa.float32()),
            }
        )
        databricks.load("numbers", rows)

        read = query(databricks, "SELECT a, b, c, d, e, f FROM numbers")

        assert read.schema.types == [pa.float64(), *[pa.int64()] * 3, pa.float64(), pa.float64()]
        assert list(read.to_pydict().values()) == [
            [0.1, None, -1.7976931348623157e308],
            [9_007_199_254_740_993, None, -1],
            [2_147_483_647, None, 0],
            [-32_768, None, 1],
            [12_345_678_901.25, None, -0.5],
            [1.5, None, pytest.approx(0.1)],
        ]

    def test_texts_arrive_whatever_is_in_them(self, databricks: ThriftServer) -> None:
        texts = [EMOJI, "", None, "12 Nowhere Lane\r\nSampleville, OK 22690", 'a "b", \\c', " d "]
        databricks.load("texts", pa.table({"a": texts}))

        assert query(databricks, "SELECT a FROM texts")["a"].to_pylist() == texts

    def test_a_column_that_is_empty_throughout_keeps_its_type(
        self, databricks: ThriftServer
    ) -> None:
        rows = pa.table({"a": pa.array([None] * 3, pa.float64()), "b": pa.array([None] * 3, "str")})
        databricks.load("gaps", rows)

        assert query(databricks, "SELECT a, b FROM gaps").equals(rows)


class TestTimes:
    """The server's own zone is Asia/Kolkata, five and a half hours ahead of UTC."""

    def test_the_session_is_in_utc(self, databricks: ThriftServer) -> None:
        said = query(
            databricks,
            "SELECT current_timezone() a, TIMESTAMP '2016-01-01 00:00:00' b,"
            "  TIMESTAMP '2016-01-01 00:00:00+05:30' c",
        )

        assert said.to_pylist() == [
            {
                "a": "UTC",
                "b": datetime(2016, 1, 1),  # noqa: DTZ001 (UTC without a zone)
                "c": datetime(2015, 12, 31, 18, 30),  # noqa: DTZ001
            }
        ]

    def test_times_are_instants_and_a_date_is_its_beginning(self, databricks: ThriftServer) -> None:
        instant = datetime(2016, 2, 29, 23, 59, 59, 123456)  # noqa: DTZ001
        times = pa.array([instant, None], pa.timestamp("us"))
        databricks.load("times", pa.table({"a": times, "b": [date(2016, 2, 29), None]}))

        read = query(databricks, "SELECT a, b FROM times")

        assert read.schema.types == [pa.timestamp("us")] * 2
        assert list(read.to_pydict().values()) == [
            [instant, None],
            [datetime(2016, 2, 29), None],  # noqa: DTZ001
        ]

    def test_a_time_that_is_asked_for_is_in_utc_too(
        self, databricks: ThriftServer, loans: pa.Table
    ) -> None:
        asked = "SELECT COUNT(*) a FROM loans WHERE updated_at >= CAST(? AS TIMESTAMP)"

        assert query(databricks, asked, "2016-01-01 16:38:00")["a"].to_pylist() == [2]
        assert query(databricks, asked, "2016-01-01T16:38:00.5")["a"].to_pylist() == [1]


def test_a_parameter_is_never_part_of_the_statement(databricks: ThriftServer) -> None:
    texts = [EMOJI, "x' OR '1' = '1", "back\\slash"]
    databricks.load("texts", pa.table({"a": texts}))

    for text in texts:
        found = query(databricks, "SELECT a FROM texts WHERE a = ?", text)
        assert found["a"].to_pylist() == [text]


def test_what_a_table_has_is_said_without_reading_it(
    databricks: ThriftServer, loans: pa.Table
) -> None:
    backend = make_backend("business_events", {"connection": databricks.connection})

    assert backend.describe("loans") == loans.schema


def test_memory_does_not_grow_with_the_rows(databricks: ThriftServer) -> None:
    row_bytes, number = 1_000, 40_000
    texts = [f"{n:08d}" * (row_bytes // 8) for n in range(number)]
    databricks.load("long_texts", pa.table({"a": texts}))
    backend = make_backend("business_events", {"connection": databricks.connection})

    held = [
        resident_bytes() for _ in backend.read(Query("SELECT a FROM long_texts"), batch_rows=2_000)
    ]

    assert len(held) == 20
    # Of the 40 MB, what a few batches take.
    assert max(held) - held[3] < number * row_bytes / 4


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
