import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from loantap.datasets import SnapshotDataset
from loantap.pipelines.ingestion import nodes
from loantap.portfolio.dictionary import Table
from loantap.portfolio.errors import InputError
from tests.pipelines.in_memory import ingest, load_options, make_source, run


@pytest.fixture(scope="module")
def faulty(sourced):
	loans = sourced["source_loans"].copy()
	applications = sourced["source_applications"].copy()
	events = sourced["source_loan_events"].copy()
	loans.loc[0, "grade"] = "Z"
	loans.loc[1, "int_rate"] = -1.0
	loans = pd.concat([loans, loans.iloc[[2]]], ignore_index=True)  # a repeated identifier
	applications.loc[3, "annual_inc"] = None
	applications = applications.drop(index=4)
	loans = loans.drop(index=5)
	events.loc[events.index[-1], "days_past_due"] = -5
	return {
		**sourced,
		"source_loans": loans.reset_index(drop=True),
		"source_applications": applications.reset_index(drop=True),
		"source_loan_events": events,
	}


@pytest.fixture(scope="module")
def mended(faulty, tmp_path_factory):
	return ingest(faulty, tmp_path_factory.mktemp("mended"))


def test_clean_sources_lose_no_row(ingested, sourced):
	assert ingested["reconciliation"]["quarantined"].sum() == 0
	assert set(ingested["loans"]["loan_id"]) == set(sourced["source_loans"]["loan_id"])
	assert len(ingested["loan_months"]) == len(sourced["source_loan_events"])


@pytest.mark.parametrize(
	("table", "row", "reason"),
	[
		("loans", 1, "grade 'Z' is not one of A, B, C, D, E, F, G"),
		("loans", 2, "int_rate '-1.0' is below 0"),
		("loans", 1_500, "repeats the loan_id of a row as new or newer"),
		("applications", 4, "annual_inc '' is missing"),
	],
)
def test_a_faulty_row_goes_to_quarantine_with_its_number_and_reason(mended, table, row, reason):
	assert mended[f"ingestion.{table}_quarantine"].set_index("row")["reason"][row] == reason


def test_a_row_without_partner_is_set_aside(mended):
	for table, reason in {
		"loans": "has no application",
		"applications": "has no loan",
		"loan_events": "is about a loan that is not in the portfolio",
	}.items():
		assert set(mended[f"ingestion.unmatched_{table}"]["reason"]) == {reason}


def test_extracted_is_kept_and_quarantined(mended, faulty):
	account = mended["reconciliation"].set_index("table")

	for table in ("loans", "applications", "loan_events"):
		row = account.loc[table]
		assert row["extracted"] == len(faulty[f"source_{table}"])
		assert row["extracted"] == row["kept"] + row["quarantined"]
	# Of 1,500 loans these are gone: two faulty, one without income, two without their other half.
	assert account.loc["loans", "kept"] == account.loc["applications", "kept"] == 1_495
	assert account.loc["loans", "quarantined"] == 5
	assert account.loc["applications", "quarantined"] == 4


@pytest.fixture(scope="module")
def living(sourced, tmp_path_factory):
	"""A fifth of the loans run, and one in fifty is no loan at all."""
	loans = sourced["source_loans"].copy()
	number = loans.index
	loans["loan_status"] = loans["loan_status"].mask(number % 10 == 1, "Current")
	loans["loan_status"] = loans["loan_status"].mask(number % 10 == 2, "late (31-120 days)")
	loans["loan_status"] = loans["loan_status"].mask(number % 50 == 3, "Withdrawn")
	given = {**sourced, "source_loans": loans}
	return ingest(given, tmp_path_factory.mktemp("living")), loans.set_index("loan_id")


def test_running_loans_are_kept_by_themselves_and_the_others_as_they_were(living, ingested):
	made, _ = living
	running, loans = made["running_loans"], made["loans"]

	assert running["loan_status"].value_counts().to_dict() == {"Current": 150, "Late (31-120 days)": 150}
	assert "is_charged_off" not in running
	assert not set(running["loan_id"]) & set(loans["loan_id"])
	before = ingested["loans"].set_index("loan_id").loc[loans["loan_id"]].reset_index()
	assert_frame_equal(loans, before[loans.columns])


def test_every_row_is_accounted_for(living):
	made, loans = living
	account = made["reconciliation"].set_index("table")
	months = made["loan_months"]["loan_id"]
	out = loans.index[loans["loan_status"] == "Withdrawn"]

	for table in ("loans", "applications"):
		row = account.loc[table]
		assert row[["extracted", "kept", "running", "left_out", "quarantined"]].to_list() == [1_500, 1_470, 300, 30, 0]
	events = account.loc["loan_events"]
	assert events["running"] == months.isin(made["running_loans"]["loan_id"]).sum() > 0
	assert events["left_out"] > 0
	assert not months.isin(out).any()
	assert (account["difference"] == 0).all()


def test_a_book_without_an_outcome_stops_the_run(sourced, tmp_path):
	loans = sourced["source_loans"].assign(loan_status="Current")

	with pytest.raises(InputError, match="all 1,500 loans still run"):
		ingest({**sourced, "source_loans": loans}, tmp_path)


def test_a_status_that_nobody_mapped_stops_the_run(sourced, tmp_path):
	loans = sourced["source_loans"].copy()
	loans.loc[0, "loan_status"] = "Frozen"

	with pytest.raises(InputError, match="nobody has said what loan_status 'Frozen'"):
		ingest({**sourced, "source_loans": loans}, tmp_path)


def test_an_empty_source_table_stops_the_run(sourced, tmp_path):
	empty = {**sourced, "source_loan_events": sourced["source_loan_events"].head(0)}

	with pytest.raises(InputError):
		ingest(empty, tmp_path)


def test_rows_of_two_portfolios_are_never_mixed(tmp_path):
	"""The embedded sources are built anew by each run, all rows with the day of that run."""
	for seed, as_of in [(1, "2026-11-23"), (2, "2026-11-23"), (2, "2020-01-01"), (3, "2020-01-01"), (1, "2026-11-24")]:
		made = run("sources", {"sources.portfolio_file": None}, loans=1_000, seed=seed, as_of=as_of)
		options = load_options(as_of=as_of)["params:ingestion"]
		for table in Table:
			source = make_source(table, tmp_path)
			source.save(made[f"source_{table}"])
			snapshot = SnapshotDataset(filepath=str(tmp_path / table))
			snapshot.save(getattr(nodes, f"extract_{table}")(source.load(), options))
			snapshot.publish()

			expected = source.load().read().read_all().to_pandas()
			assert_frame_equal(snapshot.load(), expected)


def test_nothing_depends_on_the_order_of_extraction(ingested, sourced, tmp_path):
	shuffled = {
		name: sourced[name].sample(frac=1, random_state=3)
		for name in ("source_loans", "source_applications", "source_loan_events")
	}
	again = ingest(shuffled, tmp_path)

	for name in ("loans", "loan_months", "reconciliation", "ingestion.instalment_exceptions"):
		assert_frame_equal(again[name], ingested[name])


def test_the_address_goes_no_further_than_state_and_pincode(ingested):
	loans = ingested["loans"]

	assert "address" not in loans
	assert loans["pincode"].str.fullmatch(r"\d{5}").all()
	assert loans["state"].str.fullmatch(r"[A-Z]{2}").all()


def test_a_loan_whose_instalment_is_not_its_emi_is_listed_and_kept(sourced, tmp_path):
	loans = sourced["source_loans"].copy()
	loans.loc[0, "installment"] /= 2

	made = ingest({**sourced, "source_loans": loans}, tmp_path)

	listed = made["ingestion.instalment_exceptions"].set_index("loan_id")
	exception = listed.loc[loans.loc[0, "loan_id"]]
	assert exception["funded_principal"] == pytest.approx(exception["loan_amount"] / 2, rel=1e-3)
	assert loans.loc[0, "loan_id"] in set(made["loans"]["loan_id"])
