"""`ingestion` on all three real systems at once: the same tables as from the embedded ones."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import mlflow
import pandas as pd
import pyarrow as pa
import pytest
from click.testing import Result
from kedro.framework.project import configure_project
from pandas.testing import assert_frame_equal

from loantap.datasets.backends import make_backend
from loantap.datasets.backends.interface import Query
from loantap.portfolio.dictionary import Table
from tests.support.derby import Derby
from tests.support.loader import make_tables
from tests.support.postgres import Postgres
from tests.support.temporary_project import Project, make_project
from tests.support.thrift_server import ThriftServer

pytestmark = [pytest.mark.xdist_group("servers"), pytest.mark.slow]

LOANS, SEED, AS_OF = 1_000, 42, "2026-11-23"
TABLES = ("loans", "loan_months", "instalment_exceptions", "reconciliation")


@dataclass(frozen=True)
class Ingested:
    """A project that ingested from the embedded sources, and one that did from the real ones."""

    embedded: Project
    real: Project
    result: Result

    def read(self, table: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """A table of either."""
        path = Path("data") / "03_primary" / f"{table}.parquet"
        return tuple(pd.read_parquet(p.folder / path) for p in (self.embedded, self.real))


@pytest.fixture(scope="module")
def _environment(
    postgres: Postgres, db2: Derby, databricks: ThriftServer
) -> Iterator[pytest.MonkeyPatch]:
    """The servers hold the demo portfolio, and the environment says where they are."""
    tables = make_tables(LOANS, SEED, date.fromisoformat(AS_OF))
    postgres.load(Table.LOANS, tables[Table.LOANS])
    db2.load(Table.APPLICATIONS, tables[Table.APPLICATIONS])
    databricks.load(Table.LOAN_EVENTS, tables[Table.LOAN_EVENTS])
    before = mlflow.get_tracking_uri()
    configure_project("loantap")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOANTAP_WAREHOUSE", postgres.connection)
        patch.setenv("LOANTAP_WAREHOUSE_OUTPUT", postgres.owner_connection)
        patch.setenv("LOANTAP_APPSTREAM", db2.connection)
        patch.setenv("LOANTAP_BUSINESS_EVENTS", databricks.connection)
        yield patch
    mlflow.set_tracking_uri(before)


@pytest.fixture(scope="module")
def ingested(
    _environment: pytest.MonkeyPatch, empty_store: Path, tmp_path_factory: pytest.TempPathFactory
) -> Ingested:
    folders = [tmp_path_factory.mktemp(name) for name in ("embedded", "real")]
    for folder in folders:
        shutil.copy(empty_store, folder)
    embedded, real = map(make_project, folders)
    given = f"loans={LOANS},seed={SEED},as_of={AS_OF}"
    first = embedded.run("--pipelines", "sources,ingestion", "--params", given)
    assert first.exit_code == 0, first.output
    params = ("--params", f"as_of={AS_OF}")
    result = real.run("--env", "odbc", "--pipelines", "ingestion", *params)
    assert result.exit_code == 0, result.output
    return Ingested(embedded, real, result)


def read_back(postgres: Postgres, table: str) -> pd.DataFrame:
    """A table that was written to the warehouse, as its owner reads it."""
    backend = make_backend("warehouse", {"connection": postgres.owner_connection})
    statement = f"SELECT * FROM underwriting.{table}"  # noqa: S608 (named by the tests)
    rows: pa.Table = backend.read(Query(statement)).read_all()
    return rows.to_pandas()


@pytest.mark.parametrize("table", TABLES)
def test_the_tables_are_the_same_cell_for_cell(table: str, ingested: Ingested) -> None:
    embedded, real = ingested.read(table)

    assert len(embedded)
    assert_frame_equal(real, embedded, check_exact=True)


def test_the_new_tables_are_in_the_warehouse(ingested: Ingested, postgres: Postgres) -> None:
    written = read_back(postgres, "portfolio").sort_values("loan_id", ignore_index=True)
    made = ingested.read("loans")[1]

    assert len(written) == len(made) == LOANS
    assert written["loan_id"].tolist() == made["loan_id"].tolist()
    for name in ("loan_amount", "interest_rate_pct", "instalment", "is_charged_off"):
        assert written[name].astype("float64").tolist() == made[name].astype("float64").tolist()
    assert written["issue_month"].tolist() == made["issue_month"].tolist()
    months = read_back(postgres, "portfolio_months")
    assert len(months) == len(ingested.read("loan_months")[1])


def test_a_second_run_reads_what_changed_and_writes_nothing(
    ingested: Ingested, postgres: Postgres
) -> None:
    stamped = "SELECT max(xmin::text::bigint), count(*) FROM underwriting.portfolio"
    before = postgres.run_sql(stamped)
    digests = ingested.real.digests()
    params = ("--params", f"as_of={AS_OF}")
    again = ingested.real.run("--env", "odbc", "--pipelines", "ingestion", *params)

    assert again.exit_code == 0, again.output
    assert postgres.run_sql(stamped) == before
    primary = {name: found for name, found in digests.items() if "03_primary" in name}
    assert primary.items() <= ingested.real.digests().items()


def test_every_system_can_be_used(ingested: Ingested) -> None:
    params = ("--params", f"as_of={AS_OF}")
    checked = ingested.real.run("--env", "odbc", "--pipelines", "check_sources", *params)

    assert checked.exit_code == 0, checked.output
    assert "fault" not in checked.output


def test_demo_rows_are_never_written_into_a_real_system(
    ingested: Ingested, postgres: Postgres
) -> None:
    before = postgres.run_sql("SELECT count(*), md5(string_agg(l::text, '' ORDER BY loan_id)) "
                              "FROM public.loans l")  # fmt: skip
    for pipelines in ("sources", "__default__", "all"):
        refused = ingested.real.run("--env", "odbc", "--pipelines", pipelines)

        assert refused.exit_code == 1
        assert "are those of a real system" in refused.output
    assert before == postgres.run_sql(
        "SELECT count(*), md5(string_agg(l::text, '' ORDER BY loan_id)) FROM public.loans l"
    )


def test_no_secret_shows(ingested: Ingested, postgres: Postgres, databricks: ThriftServer) -> None:
    said = ingested.result.output
    for path in (ingested.real.folder / "data").rglob("*.json"):
        said += path.read_text()

    assert postgres.password_of("loantap_reader") not in said
    assert databricks.token not in said
