"""A table over IBM's own DB2 driver: what is in it arrives, and only that."""

import os
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from loantap.databases.backends import make_backend
from loantap.databases.backends.interface import Query
from loantap.databases.source_table import Account
from tests.sources.source_rows import FIRST_UPDATE, find_source, make_loans
from tools.sources.derby import Derby

LATIN1 = "819"  # as IBM numbers code pages
EMOJI = "Bäcker 面包师 👩🏽‍🍳"


@pytest.fixture
def loans(db2: Derby) -> pa.Table:
    """1,000 loans, in DB2 as well."""
    rows = make_loans(1_000)
    db2.load("loans", rows)
    return rows


def query(db2: Derby, sql: str, *parameters: str) -> pa.Table:
    backend = make_backend("appstream", {"connection": db2.connection})
    return backend.read(Query(sql, parameters)).read_all()


class TestTable:
    def test_every_value_arrives_as_it_is(self, db2: Derby, loans: pa.Table) -> None:
        assert find_source(db2.connection).read().read_all().equals(loans)

    def test_rows_come_in_batches_of_the_size_asked_for(self, db2: Derby, loans: pa.Table) -> None:
        batches = list(find_source(db2.connection, batch_rows=300).read())

        assert [batch.num_rows for batch in batches] == [300, 300, 300, 100]
        assert pa.Table.from_batches(batches).equals(loans)

    def test_a_table_without_rows_has_its_columns(self, db2: Derby) -> None:
        db2.load("loans", make_loans(0))
        source = find_source(db2.connection)

        assert source.read().read_all().equals(make_loans(0))
        assert source.account() == Account(0, None, None, 0)

    def test_the_account_says_what_a_reading_would_give(self, db2: Derby, loans: pa.Table) -> None:
        db2.run_sql("UPDATE appstream.loans SET updated_at = NULL WHERE loan_id = '00000005';")
        source = find_source(db2.connection)
        last, since = loans["updated_at"][-1].as_py(), loans["updated_at"][900].as_py()

        assert source.account() == Account(1_000, FIRST_UPDATE, last, 1_000)
        assert source.account(since) == Account(1_000, FIRST_UPDATE, last, 101)
        assert "00000005" in source.read(since).read_all()["loan_id"].to_pylist()

    def test_writers_are_not_kept_waiting_by_a_reader(self, db2: Derby, loans: pa.Table) -> None:
        reader = find_source(db2.connection, batch_rows=100).read()
        reader.read_next_batch()

        db2.run_sql("UPDATE appstream.loans SET grade = 'C' WHERE loan_id = '00000000';")

        assert pa.Table.from_batches(list(reader)).num_rows == 900

    def test_the_connection_ends_with_the_reader(self, db2: Derby, loans: pa.Table) -> None:
        reader = find_source(db2.connection, batch_rows=10).read()
        reader.read_next_batch()
        assert count_connections(db2) == 1

        del reader

        assert count_connections(db2) == 0


def count_connections(db2: Derby) -> int:
    """Open connections to the front, by the kernel's count; on one end only."""
    listed = Path("/proc/net/tcp").read_text().splitlines()[1:]
    ends = [line.split()[1:4] for line in listed]
    port, established = f":{db2.port:04X}", "01"
    return sum(local.endswith(port) and state == established for local, _, state in ends)


class TestTypes:
    def test_numbers_of_any_kind_keep_their_digits_and_their_gaps(self, db2: Derby) -> None:
        rows = pa.table(
            {
                "a": [0.1, None, -1.7976931348623157e308],
                "b": pa.array([2**53 + 1, None, -1], pa.int64()),
                "c": pa.array([2_147_483_647, None, 0], pa.int32()),
                "d": pa.array([-32_768, None, 1], pa.int16()),
                "e": pa.array([Decimal("12345678901.25"), None, Decimal("-0.50")]),
            }
        )
        db2.load("numbers", rows)

        read = query(db2, "SELECT a, b, c, d, e FROM numbers")

        assert read.schema.types == [pa.float64()] + [pa.int64()] * 3 + [pa.float64()]
        assert list(read.to_pydict().values()) == [
            [0.1, None, -1.7976931348623157e308],
            [9_007_199_254_740_993, None, -1],
            [2_147_483_647, None, 0],
            [-32_768, None, 1],
            [12_345_678_901.25, None, -0.5],
        ]

    def test_times_are_instants_and_a_date_is_its_beginning(self, db2: Derby) -> None:
        instant = datetime(2016, 2, 29, 23, 59, 59, 123456)  # noqa: DTZ001 (UTC without a zone)
        times = pa.array([instant, None], pa.timestamp("us"))
        db2.load("times", pa.table({"a": times, "b": [date(2016, 2, 29), None]}))

        read = query(db2, "SELECT a, b FROM times")

        assert read.schema.types == [pa.timestamp("us")] * 2
        assert list(read.to_pydict().values()) == [
            [instant, None],
            [datetime(2016, 2, 29), None],  # noqa: DTZ001
        ]

    def test_texts_arrive_whatever_is_in_them(self, db2: Derby) -> None:
        texts = [EMOJI, "", None, "12 Nowhere Lane\r\nSampleville, OK 22690", 'a "b", \\c', " d "]
        db2.load("texts", pa.table({"a": texts}))

        assert query(db2, "SELECT a FROM texts")["A"].to_pylist() == texts

    def test_a_text_of_fixed_length_keeps_its_blanks(self, db2: Derby) -> None:
        read = query(db2, "SELECT CAST('ab' AS CHAR(4)) a FROM sysibm.sysdummy1")

        assert read["A"].to_pylist() == ["ab  "]

    def test_texts_do_not_depend_on_the_code_page_of_the_machine(self, db2: Derby) -> None:
        db2.load("texts", pa.table({"a": [EMOJI]}))
        program = (
            "import os, sys\n"
            "from loantap.databases.backends.db2 import DB2\n"
            "from loantap.databases.backends.interface import Query\n"
            "rows = DB2('appstream', os.environ['URL']).read(Query('SELECT a FROM texts'))\n"
            "sys.stdout.buffer.write(rows.read_all()['A'][0].as_py().encode())"
        )
        changed = {"LC_ALL": "C", "LANG": "C", "DB2CODEPAGE": LATIN1, "URL": db2.connection}

        said = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            check=True,
            env=os.environ | changed,
        ).stdout

        assert said.decode() == EMOJI


class TestParameters:
    def test_a_time_is_bound_with_any_fraction_of_a_second(
        self, db2: Derby, loans: pa.Table
    ) -> None:
        asked = "SELECT COUNT(*) FROM loans WHERE updated_at >= CAST(? AS TIMESTAMP)"

        assert count(db2, asked, "2016-01-01 16:38:00") == 2
        assert count(db2, asked, "2016-01-01 16:38:00.5") == 1
        assert count(db2, asked, "2016-01-01T16:39:00.000001") == 0

    def test_a_text_is_bound_and_never_part_of_the_statement(self, db2: Derby) -> None:
        texts = [EMOJI, "x' OR '1' = '1", "", None]
        db2.load("texts", pa.table({"a": texts}))
        asked = "SELECT COUNT(*) FROM texts WHERE a = ?"

        assert [count(db2, asked, text) for text in texts[:3]] == [1, 1, 1]
        assert count(db2, "SELECT COUNT(*) FROM texts WHERE a = ? OR a = ?", EMOJI, "") == 2


def count(db2: Derby, sql: str, *parameters: str) -> int:
    number: int = query(db2, sql, *parameters).columns[0][0].as_py()
    return number


def test_what_a_table_has_is_said_without_reading_it(db2: Derby, loans: pa.Table) -> None:
    described = make_backend("appstream", {"connection": db2.connection}).describe("loans")

    assert described.names == [name.upper() for name in loans.column_names]
    assert described.types == loans.schema.types


def test_memory_does_not_grow_with_the_rows(db2: Derby) -> None:
    row_bytes, number = 1_000, 40_000
    texts = [f"{n:08d}" * (row_bytes // 8) for n in range(number)]
    db2.load("long_texts", pa.table({"a": texts}))
    backend = make_backend("appstream", {"connection": db2.connection})

    held = [
        resident_bytes() for _ in backend.read(Query("SELECT a FROM long_texts"), batch_rows=2_000)
    ]

    assert len(held) == 20
    # Of the 40 MB, what a few batches take.
    assert max(held) - held[3] < number * row_bytes / 4


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
