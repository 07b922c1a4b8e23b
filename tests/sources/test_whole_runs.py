"""Later runs on all three real systems: what changed is read, and what fails changes nothing."""

# ruff: noqa: S608 - statements are made of the names of our own tables

import logging
import re
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from loantap.portfolio.dictionary import Table
from tests.sources.real_project import (
    PRIMARY,
    Servers,
    find_secrets,
    in_environment,
    ingest,
    make_demo_tables,
    make_empty,
    run_real,
    unwrap,
)
from tools.sources.postgres import OUTPUT_SCHEMA, OWNER
from tools.sources.thrift_server import SCHEMA as EVENTS_SCHEMA

# A loan's rows were last changed two days after those of the loan before it, in every system.
FIRST_UPDATE, STEP = datetime(2011, 6, 1), timedelta(days=2)  # noqa: DTZ001 (UTC without a zone)
OVERLAP = timedelta(days=1)
WRONG = "5ec2e7" * 5
WHERES = {
    Table.LOANS: "warehouse, table loans",
    Table.APPLICATIONS: "appstream, table applications",
    Table.LOAN_EVENTS: "business_events, table loan_events",
}


@pytest.fixture(scope="module")
def tables():
    """The demo portfolio, changed little by little rather than all on one day."""
    made = make_demo_tables()
    loan_ids = made[Table.LOANS]["loan_id"].to_pylist()
    moments = {loan_id: FIRST_UPDATE + STEP * number for number, loan_id in enumerate(loan_ids)}
    return {table: _date(rows, moments) for table, rows in made.items()}


def _date(rows, moments):
    times = pa.array([moments[loan_id] for loan_id in rows["loan_id"].to_pylist()])
    return rows.set_column(rows.schema.get_field_index("updated_at"), "updated_at", times)


@pytest.fixture(scope="module")
def servers(postgres, db2, databricks, tables):
    """The servers hold that portfolio."""
    made = Servers(postgres, db2, databricks)
    made.load(tables)
    return made


@pytest.fixture(autouse=True)
def _where_the_servers_are(servers):
    with in_environment(servers):
        yield


@pytest.fixture(scope="module")
def project(servers, empty_store, tmp_path_factory):
    """A project that has read them once. Each test leaves it up to date with them."""
    made = make_empty(tmp_path_factory.mktemp("real"), empty_store)
    with in_environment(servers):
        ingest(made)
    return made


@pytest.fixture
def fresh(tmp_path, empty_store):
    """A project that has read nothing yet."""
    return make_empty(tmp_path, empty_store)


class RowsRead(logging.Handler):
    """How many rows of each table the runs within have asked for, and how many came."""

    def __init__(self):
        super().__init__()
        self.found: dict[str, tuple[int, int]] = {}

    def emit(self, record):
        table = record.getMessage().partition(":")[0]
        if table in set(Table):  # rows that are written count as well
            self.found[table] = (record.done, record.total)


@pytest.fixture
def rows_read():
    """Rows that came, and that were to come, of each table."""
    handler, progress = RowsRead(), logging.getLogger("loantap.progress")
    progress.addHandler(handler)
    yield handler.found
    progress.removeHandler(handler)


@pytest.fixture
def change(servers, tables):
    """Change a row of a loan, known by its number, in each system: after all other changes."""
    events = tables[Table.LOAN_EVENTS].select(["loan_id", "month"]).to_pandas()
    loan_ids = tables[Table.LOANS]["loan_id"].to_pylist()

    def change_rows(number, at=None):
        at = at or find_newest(servers) + STEP
        loan_id, moment = loan_ids[number], f"{at:%Y-%m-%d %H:%M:%S}"
        month = events.loc[events["loan_id"] == loan_id, "month"].iloc[0]
        servers.postgres.run_sql(
            f"UPDATE loans SET initial_list_status = translate(initial_list_status, 'fw', 'wf'),"
            f" updated_at = '{moment}' WHERE loan_id = '{loan_id}'"
        )
        servers.db2.run_sql(
            f"UPDATE APPSTREAM.APPLICATIONS SET TITLE = 'Changed at {moment}',"
            f" UPDATED_AT = TIMESTAMP('{moment}') WHERE LOAN_ID = '{loan_id}';"
        )
        # Spark has no UPDATE for such a table, nor writes into one that it reads from.
        is_it = f"loan_id = '{loan_id}' AND month = '{month}'"
        columns = ", ".join(
            {
                "payment": f"if({is_it}, payment + 1, payment)",
                "updated_at": f"if({is_it}, TIMESTAMP '{moment}Z', updated_at)",
            }.get(name, name) + f" AS {name}"
            for name in tables[Table.LOAN_EVENTS].schema.names
        )  # fmt: skip
        kept, copy = f"{EVENTS_SCHEMA}.loan_events", f"{EVENTS_SCHEMA}.changed_events"
        servers.databricks.run_sql(
            f"DROP TABLE IF EXISTS {copy}",
            f"CREATE TABLE {copy} USING parquet AS SELECT {columns} FROM {kept}",
            f"INSERT OVERWRITE {kept} SELECT * FROM {copy}",
            f"DROP TABLE {copy}",
        )

    return change_rows


def find_newest(servers):
    """When the last of all rows changed."""
    return datetime.fromisoformat(servers.postgres.run_sql("SELECT max(updated_at) FROM loans"))


def expect_one_new_row_each(result, since, tables):
    said = unwrap(result.output)
    for table, where in WHERES.items():
        assert f"{where}: 1 of {tables[table].num_rows:,} rows are new since {since}" in said


def count_rows_since(servers, moment):
    """Rows of each source that have changed since, as `rows_read` has them."""
    found = {}
    for table, rows in servers.read_sources().items():
        times = rows.rename_columns([name.lower() for name in rows.schema.names])["updated_at"]
        number = sum(time.replace(tzinfo=None) >= moment for time in times.to_pylist())
        found[str(table)] = (number, number)
    return found


def expect_tables_of_a_full_reading(project, fresh):
    ingest(fresh)
    for table in PRIMARY:
        path = Path("data") / "03_primary" / f"{table}.parquet"
        found, expected = (pd.read_parquet(each.folder / path) for each in (project, fresh))
        assert len(expected)
        assert_frame_equal(found, expected, check_exact=True)


def test_a_second_run_reads_what_changed(project, fresh, servers, change, tables, rows_read):
    before = project.digests()
    since = find_newest(servers) - OVERLAP
    change(3)

    again = ingest(project)

    expect_one_new_row_each(again, f"{since:%Y-%m-%d %H:%M:%S}", tables)
    assert rows_read == count_rows_since(servers, since)
    for table in ("loans", "loan_months"):
        name = f"data/03_primary/{table}.parquet"
        assert project.digests()[name] != before[name]
    expect_tables_of_a_full_reading(project, fresh)


@contextmanager
def without(server, right, of):
    """The server does not know this right of a role."""
    server.run_sql(f"REVOKE {right} FROM {of};")
    try:
        yield
    finally:
        server.run_sql(f"GRANT {right} TO {of};")


@contextmanager
def without_access_to_events(servers):
    """Spark knows no rights on tables, but tokens can be withdrawn."""
    token = servers.databricks.token
    servers.databricks.allow([f"dapi/{WRONG}+=="])
    try:
        yield
    finally:
        servers.databricks.allow([token])


def without_right_to_write(servers):
    return without(servers.postgres, f"CREATE ON SCHEMA {OUTPUT_SCHEMA}", OWNER)


def without_right_to_the_last_table(servers):
    return without(servers.postgres, f"ALL ON {OUTPUT_SCHEMA}.portfolio_reconciliation", OWNER)


@pytest.mark.parametrize(
    ("number", "trouble", "message"),
    [
        # The others have been read by then.
        (12, without_access_to_events, "business_events, table loan_events: .*token may have"),
        (13, without_right_to_write, r"warehouse, table portfolio\w*: .*Have it granted"),
        # All tables of ours are replaced together, or none.
        (14, without_right_to_the_last_table, "warehouse, .*portfolio_reconciliation.*granted"),
    ],
    ids=["loan_events", "our own tables", "the last of them"],
)
def test_a_run_that_fails_changes_nothing(
    number, trouble, message, project, servers, change, tables
):
    # There is something new to be read, written and published.
    change(number)
    digests, written = project.digests(), servers.written()

    with trouble(servers):
        failed = run_real(project, "ingestion")

    assert failed.exit_code == 1
    assert re.search(f"Error: {message}", unwrap(failed.output))
    assert failed.output.count("Error: ") == 1
    assert "Traceback" not in failed.output
    assert find_secrets(failed.output, project, servers) == []
    assert project.digests() == digests
    assert servers.written() == written
    # What was read before the failure does not count as read.
    expect_one_new_row_each(ingest(project), "", tables)
    assert servers.written() != written
