import pandas as pd
import pytest

from loantap.pipelines.sources.nodes import account_for_portfolio
from loantap.portfolio.dictionary import REAL, RESOLVED, RUNNING, SIMULATED, Table, columns_of, portfolio_columns
from loantap.portfolio.errors import InputError
from tests.pipelines.in_memory import run

BOOKKEEPING = ["loan_id", "updated_at", "origin"]


@pytest.fixture(scope="module")
def real(csv):
	return run("sources", {"sources.portfolio_file": csv})


def test_each_system_gets_its_own_columns_and_all_of_the_file_are_used(sourced):
	for table in (Table.LOANS, Table.APPLICATIONS):
		own = [str(column.source_name) for column in columns_of(table)]
		assert sourced[f"source_{table}"].columns.tolist() == [*own, *BOOKKEEPING]

	columns = {*sourced["source_loans"].columns, *sourced["source_applications"].columns}
	assert columns == {*(str(c.source_name) for c in portfolio_columns()), *BOOKKEEPING}


def test_the_two_halves_of_a_loan_are_joined_by_its_identifier(sourced):
	loans, applications = sourced["source_loans"], sourced["source_applications"]

	assert loans["loan_id"].is_unique
	assert loans["loan_id"].tolist() == applications["loan_id"].tolist()


def test_a_file_is_real_and_has_no_truth(real, csv):
	assert set(real["source_loans"]["origin"]) == {REAL}
	assert set(real["source_applications"]["origin"]) == {REAL}
	assert len(real["source_loans"]) == len(csv)
	assert len(real["sources.simulated_truth"]) == 0


def test_every_loan_is_accounted_for(book, real, csv):
	simulated, given = (made["sources.portfolio_account"] for made in (book, real))
	loans = len(book["source_loans"])

	assert simulated == {"origin": SIMULATED, "rows": loans, "kept": loans, "quarantined": 0}
	assert given == {"origin": REAL, "rows": len(csv), "kept": len(csv), "quarantined": 0}


def test_the_size_asked_for_is_that_of_the_resolved_loans(book):
	status = book["source_loans"]["loan_status"]

	assert status.isin(RESOLVED).sum() == 1_500
	assert set(status) <= {*RESOLVED, *RUNNING}


def test_simulated_loans_without_a_true_pd_are_a_fault_of_ours(book):
	truth = book["sources.simulated_truth"]

	with pytest.raises(ValueError, match=f"{len(truth)} simulated loans, 1499 true PDs"):
		account_for_portfolio(truth, [], truth.head(1_499))


def test_an_earlier_snapshot_shows_the_same_months_up_to_it(book):
	earlier = run("sources", {"sources.portfolio_file": None}, loans=1_500, as_of="2014-06")
	now, then = (made["source_loan_events"].drop(columns="updated_at") for made in (book, earlier))
	issued = pd.to_datetime(earlier["source_loans"]["issue_d"], format="%b-%Y")

	assert issued.max() == pd.Timestamp("2014-05-01")
	shown = now[pd.to_datetime(now["month"], format="%b-%Y") <= pd.Timestamp("2014-06-01")]
	pd.testing.assert_frame_equal(shown.reset_index(drop=True), then)
	truth, cut = (made["sources.simulated_truth"].set_index("loan_id") for made in (book, earlier))
	pd.testing.assert_frame_equal(truth.loc[cut.index], cut)


def test_the_monthly_events_of_real_loans_are_simulated(real):
	events = real["source_loan_events"]

	assert set(events["origin"]) == {SIMULATED}
	assert set(events["loan_id"]) <= set(real["source_loans"]["loan_id"])
	assert not events.duplicated(["loan_id", "month"]).any()


def test_the_rows_of_a_file_reach_the_systems_as_they_are(real, csv):
	both = real["source_loans"].merge(real["source_applications"], on="loan_id")
	for name in ("emp_title", "title", "address", "grade", "loan_status", "issue_d", "term"):
		is_given = csv[name].notna().to_numpy()
		assert both[name][is_given].astype("str").tolist() == csv[name][is_given].tolist()


def test_rows_may_be_set_aside_when_some_are_tolerated(csv):
	bad = csv.assign(grade=csv["grade"].where(csv.index != 3, "Z"))

	with pytest.raises(InputError, match="row 4: grade 'Z'"):
		run("sources", {"sources.portfolio_file": bad})
	made = run("sources", {"sources.portfolio_file": bad}, sources={"tolerated_bad_share": 0.01})

	assert made["sources.portfolio_quarantine"]["row"].tolist() == [4]
	account = made["sources.portfolio_account"]
	assert (account["rows"], account["quarantined"]) == (len(csv), 1)
	assert len(made["source_loans"]) == len(csv) - 1
