"""Pipelines run on datasets in memory, without a session: what each makes of what it is given."""

import pytest

from loantap.portfolio.dictionary import RESOLVED, portfolio_columns
from loantap.portfolio.loantap_format import render
from loantap.simulator import simulate_portfolio
from loantap.tables import files
from tests.pipelines.in_memory import ingest, run

LOANS = 1_500


@pytest.fixture(scope="session")
def book():
	"""What `sources` makes of nothing: a demo portfolio, more than half of it running."""
	return run("sources", {"sources.portfolio_file": None}, loans=LOANS)


@pytest.fixture(scope="session")
def sourced(book):
	"""The same with its resolved loans alone."""
	loans = book["source_loans"]
	ids = loans.loc[loans["loan_status"].isin(RESOLVED), "loan_id"]
	return book | {
		name: book[name][book[name]["loan_id"].isin(ids)].reset_index(drop=True)
		for name in ("source_loans", "source_applications", "source_loan_events")
	}


@pytest.fixture(scope="session")
def csv():
	text = render(simulate_portfolio(LOANS, seed=5).portfolio, portfolio_columns())
	return text.astype("str").replace("nan", None).astype("str")


@pytest.fixture(scope="session")
def ingested(sourced, tmp_path_factory):
	no_champion = {"feature_engineering.last_training": {"simulated": lambda: None}}
	return ingest(sourced, tmp_path_factory.mktemp("raw")) | no_champion


@pytest.fixture(scope="session")
def engineered(ingested):
	return run("feature_engineering", ingested)


@pytest.fixture
def small_batches(monkeypatch):
	monkeypatch.setattr(files.TableFile.__init__, "__defaults__", (16, None, None))
