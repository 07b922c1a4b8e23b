import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from click.testing import Result
from pandas.testing import assert_frame_equal

from tests.sources.real_project import (
	AS_OF,
	LOANS,
	PRIMARY,
	SEED,
	find_secrets,
	in_environment,
	ingest,
	make_demo_tables,
	make_empty,
	run_real,
)
from tests.support.temporary_project import Project

pytestmark = pytest.mark.usefixtures("_where_the_servers_are")


@dataclass(frozen=True)
class Ingested:
	"""A project that ingested from the embedded sources, and one that did from the real ones."""

	embedded: Project
	real: Project
	result: Result

	def read(self, table):
		path = Path("data") / "03_primary" / f"{table}.parquet"
		return tuple(pd.read_parquet(p.folder / path) for p in (self.embedded, self.real))


@pytest.fixture(scope="module")
def tables():
	return make_demo_tables()


@pytest.fixture(scope="module")
def ingested(servers, empty_store, tmp_path_factory):
	embedded, real = (make_empty(tmp_path_factory.mktemp(name), empty_store) for name in ("embedded", "real"))
	given = f"loans={LOANS},seed={SEED},as_of={AS_OF}"
	first = embedded.run("--pipelines", "sources,ingestion", "--params", given)
	assert first.exit_code == 0, first.output
	with in_environment(servers):
		return Ingested(embedded, real, ingest(real))


@pytest.mark.parametrize("table", PRIMARY)
def test_the_tables_are_the_same_cell_for_cell(table, ingested):
	embedded, real = ingested.read(table)

	assert len(embedded)
	assert_frame_equal(real, embedded, check_exact=True)


def test_a_second_run_where_nothing_changed_writes_nothing(ingested, servers):
	written, digests = servers.written(), ingested.real.digests()
	assert "portfolio" in written

	ingest(ingested.real)

	assert servers.written() == written
	assert ingested.real.digests() == digests


def test_a_warehouse_most_of_whose_loans_run_is_trained_on_and_watched(ingested):
	conf = ingested.real.folder / "conf"
	shutil.copy(conf / "local" / "parameters.yml", conf / "odbc")  # the small grid

	trained = run_real(ingested.real, "training,early_warning")
	watched = ingested.embedded.run("--pipelines", "early_warning", "--params", f"as_of={AS_OF}")

	assert trained.exit_code == watched.exit_code == 0, trained.output + watched.output
	assert len(ingested.read("running_loans")[1]) > LOANS
	embedded, real = (pd.read_parquet(p.reporting / "watchlist.parquet") for p in (ingested.embedded, ingested.real))
	assert len(embedded)
	assert_frame_equal(real, embedded)


def test_demo_rows_are_never_written_into_a_real_system(ingested, servers):
	before = servers.read_sources()
	loans, applications, _ = (rows.num_rows for rows in before.values())
	assert loans == applications > LOANS

	for pipelines in ("sources", "all"):
		# Other rows than those that are there, which would show.
		given = f"seed={SEED + 1},as_of={AS_OF}"
		refused = ingested.real.run("--env", "odbc", "--pipelines", pipelines, "--params", given)

		assert refused.exit_code == 1
		assert "are those of a real system" in refused.output
	assert servers.read_sources() == before


def test_every_system_can_be_used_and_no_secret_shows(ingested, servers):
	checked = run_real(ingested.real, "check_sources")

	assert checked.exit_code == 0, checked.output
	assert "fault" not in checked.output
	said = ingested.result.output + checked.output
	assert find_secrets(said, ingested.real, servers) == []
