"""A table of a real PostgreSQL server over ODBC: what is in it arrives, and only that."""

# ruff: noqa: S608 - statements are made of the names of our own tables

import logging
import time
from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest

from loantap.databases.backends import make_backend
from loantap.databases.backends.interface import Query
from loantap.databases.source_table import Account
from loantap.portfolio.cleaning import clean_source_table
from loantap.portfolio.dictionary import Table
from loantap.portfolio.errors import InputError
from tests.conftest import AS_OF
from tests.sources.source_rows import FIRST_UPDATE, expect_remedy, find_source, make_loans
from tools.sources.postgres import READER

EMOJI = "Bäcker 面包师 👩🏽‍🍳"


@pytest.fixture
def loans(postgres):
    """1,000 loans, in the warehouse as well."""
    rows = make_loans(1_000)
    postgres.load("loans", rows)
    return rows


def query(postgres, sql, *parameters):
    backend = make_backend("warehouse", {"connection": postgres.connection})
    return backend.read(Query(sql, parameters)).read_all()


def make_sound_loans(rows, **columns):
    """Loans whose instalment is that of their amount, rate and term."""
    sound = {"loan_amnt": 12_000.0, "int_rate": 12.0, "installment": 398.57}
    return make_loans(
        rows,
        loan_status=["Fully Paid"] * rows,
        **{name: [value] * rows for name, value in sound.items()},
        **columns,
    )


def clean(postgres):
    """The typed loans; none of them may be bad."""
    raw = find_source(postgres.connection).read().read_all().to_pandas()
    cleaned = clean_source_table(raw, Table.LOANS, AS_OF)
    assert cleaned.quarantine.empty, cleaned.quarantine["reason"].tolist()
    return cleaned.rows


class TestTable:
    def test_a_reading_sees_one_state_of_the_table(self, postgres, loans):
        reader = find_source(postgres.connection, batch_rows=100).read()
        first = reader.read_next_batch()
        postgres.run_sql("UPDATE loans SET loan_status = 'Charged Off'; DELETE FROM loans")

        rest = reader.read_all()

        assert pa.concat_tables([pa.Table.from_batches([first]), rest]).equals(loans)

    def test_writers_are_not_kept_waiting_and_the_connection_ends_with_the_reader(
        self, postgres, loans
    ):
        reader = find_source(postgres.connection, batch_rows=100).read()
        reader.read_next_batch()
        postgres.run_sql("SET lock_timeout = '2s'; UPDATE loans SET grade = 'C'")
        assert has_connections(postgres, 1)

        del reader

        assert has_connections(postgres, 0)

    def test_a_reader_that_nobody_reads_is_closed_too(self, postgres, loans):
        reader = find_source(postgres.connection, batch_rows=10).read()
        assert has_connections(postgres, 1)

        del reader

        assert has_connections(postgres, 0)


def has_connections(postgres, number):
    """Whether the reader has so many; one that has just been closed takes the server a moment."""
    asked = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{READER}'"
    ends = time.monotonic() + 10
    while int(postgres.run_sql(asked)) != number:
        if time.monotonic() > ends:
            return False
        time.sleep(0.1)
    return True


class TestTypes:
    def test_numbers_of_any_kind_keep_their_digits(self, postgres):
        row = query(
            postgres,
            "SELECT CAST(0.1 AS double precision) a, CAST(12345678901.25 AS numeric(20, 2)) b,"
            "  CAST(2.123456789 AS numeric) c, CAST(7 AS smallint) d, CAST(2 AS bigint) e,"
            "  CAST('NaN' AS numeric) f, CAST(NULL AS numeric) g",
        )

        assert row.schema.types == [pa.float64()] * 3 + [pa.int64()] * 2 + [pa.float64()] * 2
        assert str(row.to_pylist()[0]) == (
            "{'a': 0.1, 'b': 12345678901.25, 'c': 2.123456789, 'd': 7, 'e': 2, 'f': nan, 'g': None}"
        )

    def test_a_flag_is_a_flag(self, postgres):
        assert query(postgres, "SELECT true a, false b").to_pylist() == [{"a": True, "b": False}]

    def test_a_number_too_long_for_the_drivers_room_is_an_error(self, postgres):
        with pytest.raises(InputError, match="a value is longer than the limit"):
            query(postgres, "SELECT repeat('9', 60000)::numeric a")

    @pytest.mark.parametrize("text", [EMOJI, "", " padded ", "two\r\nlines", "'; DROP TABLE x; --"])
    def test_texts_arrive_as_they_are_also_as_parameters(self, text, postgres):
        assert query(postgres, "SELECT CAST(? AS text) a", text)["a"].to_pylist() == [text]

    def test_as_long_a_text_as_is_allowed_arrives(self, postgres):
        row = query(
            postgres, "SELECT repeat('👩', 1024) a, CAST(repeat('ä', 300) AS varchar(300)) b"
        )

        assert row.to_pylist() == [{"a": "👩" * 1024, "b": "ä" * 300}]

    def test_a_text_of_quotes_takes_the_max_room_and_arrives(self, postgres):
        row = query(postgres, "SELECT repeat('\"', 4096) a, repeat('\\', 4096) b")

        assert row.to_pylist() == [{"a": '"' * 4_096, "b": "\\" * 4_096}]

    def test_a_row_of_many_long_texts_arrives(self, postgres):
        """Five megabytes; the driver's own limit for a text is 8,190 characters."""
        columns = ", ".join(f"repeat('\"', 4096) c{number}" for number in range(600))

        row = query(postgres, f"SELECT {columns}")

        assert row.num_columns == 600
        assert {column[0].as_py() for column in row.columns} == {'"' * 4_096}

    @pytest.mark.parametrize(
        "options",
        [
            "ReadOnly=1", "UnknownSizes=1", "MaxLongVarcharSize=100",
            "ConnSettings={SET DateStyle TO 'German'; SET extra_float_digits=0}",
        ],
    )  # fmt: skip
    def test_options_of_the_connection_change_no_value(self, options, postgres):
        backend = make_backend("warehouse", {"connection": f"{postgres.connection}{options};"})
        row = "SELECT 0.30000000000000004::float8 a, TIMESTAMP '2016-02-01' b, repeat('x', 300) c"

        assert backend.read(Query(row)).read_all().to_pylist() == [
            {"a": 0.30000000000000004, "b": datetime(2016, 2, 1), "c": "x" * 300}  # noqa: DTZ001
        ]

    def test_whatever_a_row_consists_of_arrives_cell_for_cell(self, postgres):
        """Rows cross the driver as text: what has a meaning there must not lose its own."""
        drawn = np.random.default_rng(7)
        pieces = [*"\"\\(),; \t'", "\n", "\r\n", "NULL", "{}", "?", "é", "👩", "x", "1"]
        texts = [
            None if drawn.random() < 0.1 else "".join(drawn.choice(pieces, drawn.integers(6)))
            for _ in range(3_000)
        ]
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
    def test_a_time_beyond_the_calendar_is_an_error(self, time, postgres):
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
    def test_a_value_that_has_no_plain_type_is_an_error(self, value, problem, postgres):
        with pytest.raises(InputError) as refused:
            query(postgres, f"SELECT 1, 'x', {value} a")

        assert problem in refused.value.problem
        assert "12.50" not in str(refused.value)

    def test_columns_may_have_the_same_name(self, postgres):
        read = query(postgres, "SELECT 1 a, 'x' a, NULL")

        assert [column.to_pylist() for column in read.columns] == [[1], ["x"], [None]]

    def test_a_longer_text_is_an_error_and_never_cut_off(self, postgres):
        postgres.load("loans", make_loans(2, sub_grade=["B4", "x" * 4_097]))

        with pytest.raises(InputError) as refused:
            find_source(postgres.connection).read().read_all()
        expect_remedy(
            refused.value,
            problem="column sub_grade has a text of 4,097 bytes; 4,096 are allowed",
            remedy="Shorten it at the source, or in a view",
        )


class TestTimeZones:
    """The server is in India, half an hour off the full hours; rows are in UTC."""

    @pytest.fixture(params=["UTC", "America/New_York", "Asia/Tokyo"])
    def zone(self, request, monkeypatch):
        """The zone of this machine, which PostgreSQL's client libraries look at."""
        monkeypatch.setenv("TZ", request.param)
        monkeypatch.setenv("PGTZ", request.param)

    @pytest.mark.usefixtures("zone")
    def test_a_time_with_a_zone_arrives_in_utc(self, postgres):
        row = query(postgres, "SELECT TIMESTAMPTZ '2016-01-01 05:30:00+05:30' a")

        assert row["a"].to_pylist() == [FIRST_UPDATE]

    @pytest.mark.usefixtures("zone")
    def test_a_column_with_a_zone_is_compared_and_counted_in_utc(self, postgres):
        postgres.load("loans", make_loans(3))
        postgres.run_sql(
            "ALTER TABLE loans ALTER updated_at TYPE timestamptz "
            "USING updated_at AT TIME ZONE 'UTC'"
        )
        source = find_source(postgres.connection)
        since = datetime(2016, 1, 1, 0, 2)  # noqa: DTZ001

        assert source.read(since).read_all()["loan_id"].to_pylist() == ["00000002"]
        assert source.account(since) == Account(3, FIRST_UPDATE, since, 1)

    @pytest.mark.usefixtures("zone")
    @pytest.mark.parametrize("written_in", ["Asia/Kolkata", "America/New_York"])
    def test_a_month_held_as_an_instant_is_the_month_that_was_written(self, written_in, postgres):
        months = ["Jan-2014", "Feb-2014", "Jul-2014", "Dec-2015"]
        postgres.load("loans", make_sound_loans(4, issue_d=months))
        postgres.run_sql(
            "ALTER TABLE loans ALTER issue_d TYPE timestamptz USING "
            f"to_date(issue_d, 'Mon-YYYY')::timestamp AT TIME ZONE '{written_in}'"
        )

        assert clean(postgres)["issue_month"].dt.strftime("%b-%Y").tolist() == months

    def test_the_servers_zone_is_indeed_another_one(self, postgres):
        assert postgres.run_sql("SHOW timezone") == "Asia/Kolkata"


class TestEncodings:
    def test_a_database_in_latin1_is_read_as_it_is(self, postgres):
        postgres.run_sql(
            "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )
        rows = make_loans(2, loan_status=["Bäcker £ ½", "ÿ"])
        postgres.load("loans", rows, database="latin")

        source = find_source(postgres.connect_as(READER, database="latin"))

        assert source.read().read_all().equals(rows)

    @pytest.mark.parametrize("locale", ["C", "POSIX", "de_DE.ISO-8859-1"])
    def test_the_locale_of_this_machine_makes_no_difference(self, locale, postgres, monkeypatch):
        monkeypatch.setenv("LC_ALL", locale)
        rows = make_loans(1, loan_status=[EMOJI])
        postgres.load("loans", rows)

        assert find_source(postgres.connection).read().read_all().equals(rows)

    def test_the_ansi_driver_is_refused(self, postgres):
        ansi = postgres.connection.replace("PostgreSQL Unicode", "PostgreSQL ANSI")

        with pytest.raises(InputError) as refused:
            find_source(ansi).read()
        expect_remedy(refused.value, problem="ANSI driver", remedy="PostgreSQL Unicode")

    def test_the_library_that_comes_with_ibm_db_is_refused(self, postgres):
        """As an ODBC driver it ends the process."""
        library = postgres.connection.replace("{PostgreSQL Unicode}", "/x/clidriver/lib/libdb2.so")

        with pytest.raises(InputError) as refused:
            find_source(library).read()
        expect_remedy(refused.value, problem="garbles NULLs", remedy="db2+ibm_db://")


class TestContract:
    """What the table looks like is held against the data dictionary before a row is read."""

    @pytest.mark.parametrize("kind", ["text", "bytea", "jsonb", "integer[]"])
    def test_a_new_column_is_ignored_with_one_warning(self, kind, postgres, loans, caplog):
        postgres.run_sql(f"ALTER TABLE loans ADD colour {kind}")
        source = find_source(postgres.connection)

        with caplog.at_level(logging.WARNING):
            rows = [source.read().read_all() for _ in range(2)]

        assert all(read.equals(loans) for read in rows)
        assert caplog.messages == ["warehouse, table loans: new columns colour are ignored"]

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            (
                "int_rate TYPE text",
                "column int_rate is held as string, not as number",
            ),
            (
                "loan_id TYPE bigint USING loan_id::bigint",
                "column loan_id is held as int64, not as text",
            ),
            ("updated_at TYPE text", "column updated_at is held as string, not as time"),
            (
                "loan_amnt TYPE boolean USING true",
                "column loan_amnt is held as bool, not as number",
            ),
        ],
    )
    def test_a_retyped_column_is_named(self, change, problem, postgres, loans):
        postgres.run_sql(f"ALTER TABLE loans ALTER {change}")

        with pytest.raises(InputError) as refused:
            find_source(postgres.connection).read()
        expect_remedy(refused.value, problem=problem, remedy="type restored at the source")

    @pytest.mark.parametrize(
        "change",
        [
            "loan_amnt TYPE numeric(12, 2)",
            "loan_amnt TYPE integer",
            "loan_status TYPE varchar(40)",
            "issue_d TYPE date USING '2014-01-01'",
            "term TYPE integer USING 36",
            "updated_at TYPE date",
        ],
    )
    def test_another_type_of_the_same_family_will_do(self, change, postgres, loans):
        postgres.run_sql(f"ALTER TABLE loans ALTER {change}")

        assert find_source(postgres.connection).read().read_all().num_rows == 1_000

    def test_an_id_that_the_server_fills_up_with_blanks_is_the_same_id(self, postgres):
        postgres.load("loans", make_sound_loans(3))
        postgres.run_sql("ALTER TABLE loans ALTER loan_id TYPE char(24)")

        assert clean(postgres)["loan_id"].tolist() == ["00000000", "00000001", "00000002"]

    def test_columns_may_be_named_in_upper_case(self, postgres, loans):
        backend = make_backend("warehouse", {"connection": postgres.connection})
        columns = ", ".join(f'{name} "{name.upper()}"' for name in loans.column_names)
        postgres.run_sql(
            f"ALTER TABLE loans RENAME TO lower_loans; CREATE VIEW loans AS SELECT {columns} FROM "
            f"lower_loans; GRANT SELECT ON loans TO {READER}"
        )
        try:
            assert backend.describe("loans").names == [n.upper() for n in loans.column_names]
        finally:
            postgres.run_sql("DROP VIEW loans; DROP TABLE lower_loans")


def test_a_data_source_of_this_machine_is_as_good_as_a_driver(postgres, tmp_path, monkeypatch):
    """Half of the test is that the driver behind the name is recognised: times are in UTC."""
    (tmp_path / "odbc.ini").write_text(
        f"[warehouse]\nDriver=PostgreSQL Unicode\nServername=127.0.0.1\nPort={postgres.port}\n"
        f"Database=loantap\n"
    )
    monkeypatch.setenv("ODBCINI", str(tmp_path / "odbc.ini"))
    login = f"DSN=warehouse;Uid={READER};Pwd={{{postgres.password_of(READER)}}};"
    backend = make_backend("warehouse", {"connection": login})

    rows = backend.read(Query("SELECT TIMESTAMPTZ '2016-01-01 00:00:00+00' a"))

    assert rows.read_all()["a"].to_pylist() == [FIRST_UPDATE]
