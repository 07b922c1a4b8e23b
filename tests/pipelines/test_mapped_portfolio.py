import pandas as pd
import pytest

from loantap.features.build import build_features
from loantap.pipelines.evaluation.card_nodes import _summarise
from loantap.portfolio.dictionary import RUNNING
from loantap.tables import files
from loantap.tables.column_maps.column_map import read_column_map
from loantap.tables.files import TableFile
from tests.pipelines.in_memory import Outputs, ingest, run
from tools.benchmarks.lending_club_file import write_export

LOANS = 3_000


@pytest.fixture(scope="module")
def mapped(tmp_path_factory) -> Outputs:
	"""What `sources` and `ingestion` make of an export without listings, in batches of 700 rows."""
	folder = tmp_path_factory.mktemp("export")
	write_export(folder / "export.csv", LOANS)
	table = pd.read_csv(folder / "export.csv", skiprows=1, skipfooter=3, dtype="str", engine="python")
	table.drop(columns="initial_list_status").to_csv(folder / "export.csv", index=False)
	file = TableFile(folder / "export.csv", batch_rows=700, column_map=read_column_map("lending_club"))
	sourced = run("sources", {"sources.portfolio_file": file})
	return {**sourced, **ingest(sourced, folder)}


def test_every_loan_reaches_the_primary_tables_under_its_own_id(mapped):
	loans, running = mapped["loans"], mapped["running_loans"]

	assert mapped["sources.portfolio_account"]["kept"] == LOANS
	assert len(loans) + len(running) == LOANS
	assert set(running["loan_status"]) <= set(RUNNING)
	ids = pd.concat([loans, running])["loan_id"].astype("int64").sort_values().to_list()
	assert ids == list(range(1_000_000, 1_000_000 + LOANS))
	assert mapped["reconciliation"]["quarantined"].sum() == 0


def test_the_card_says_which_features_lived_on_columns_that_are_missing(mapped):
	loans = mapped["loans"]

	assert set(build_features(loans, ["pincode", "listing_status"]).to_numpy().ravel()) == {"missing"}
	assert _summarise(loans, "real", {}).unfilled == {"listing_status": ["listing_status"], "pincode": ["pincode"]}
	assert loans["state"].notna().all()


def test_batches_change_nothing(csv, tmp_path):
	csv.to_csv(tmp_path / "loans.csv", index=False)

	whole, parts = (
		run("sources", {"sources.portfolio_file": TableFile(tmp_path / "loans.csv", rows)})
		for rows in (files.BATCH_ROWS, 400)
	)

	for name in ("source_loans", "source_applications", "source_loan_events", "sources.portfolio_quarantine"):
		pd.testing.assert_frame_equal(whole[name], parts[name])
