import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from loantap.portfolio.dictionary import COLUMNS
from loantap.portfolio.loantap_format import FAULT, GIVEN_ID, split_address
from loantap.simulator import simulate_portfolio
from loantap.tables.column_maps.column_map import read_column_map
from loantap.tables.column_maps.commands import main
from loantap.tables.column_maps.proposal import look_at
from loantap.tables.files import TableFile
from tests.conftest import AS_OF, MADE_UP_LOAN, raw_loans, read_portfolio
from tools.benchmarks.lending_club_file import to_lending_club, write_export

RENAMED = {
	"loan_amnt": "Loan Amount (USD)",
	"term": "Tenure",
	"int_rate": "Interest Rate",
	"installment": "EMI",
	"issue_d": "Origination Date",
	"loan_status": "Status",
	"annual_inc": "Monthly Income",
	"earliest_cr_line": "earliest_cr_lin",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
	"""A file of a lender whose columns have other names, and numbers and dates another form."""
	loans = raw_loans(*[{"dti": str(number)} for number in range(40)]).drop(columns="total_acc")
	loans = loans.assign(
		loan_amnt="12,000.00",
		term="3",
		int_rate="12.00%",
		annual_inc="5000",
		issue_d="31/01/2014",
		loan_status=["Fully Paid", "Foreclosed"] * 20,
		dti="0.18",
		extra="x",
	)
	loans.rename(columns=RENAMED).assign(**{"Interest Rate (max)": "x"}).to_csv(tmp_path / "export.csv", index=False)
	monkeypatch.chdir(tmp_path)
	return tmp_path


def run(*arguments):
	return CliRunner().invoke(main, list(arguments))


def test_a_map_is_proposed_shown_and_can_be_used_where_nothing_is_missing(folder):
	ended = run("export.csv")

	assert ended.exit_code == 0
	proposed = yaml.safe_load(ended.stdout)["columns"]
	expected = {
		"loan_amnt": {"column": "Loan Amount (USD)", "unit": "grouped"},
		"term": {"column": "Tenure", "unit": "years"},
		"int_rate": {"column": "Interest Rate", "unit": "percent"},
		"issue_d": {"column": "Origination Date", "date": "%d/%m/%Y"},
		"annual_inc": {"column": "Monthly Income", "unit": "per_month"},
		"dti": {"column": "dti", "unit": "share"},
		"grade": "grade",
		"total_acc": None,
	}
	assert {name: proposed.get(name) for name in expected} == expected
	assert proposed["earliest_cr_line"]["column"] == "earliest_cr_lin"
	for doubt in (
		"# total_acc: needed, as a column or {value: ...}",
		"# map under words: 'Foreclosed'",
		"# by its name it is an income per month",
		"# the name is only like it",
		"# also like it: Interest Rate (max)",
	):
		assert doubt in ended.stdout
	assert "extra" in ended.stderr
	assert MADE_UP_LOAN["emp_title"] not in ended.output

	(folder / "map.yml").write_text(f"{ended.stdout}  total_acc: {{value: '25'}}\n", "utf-8")
	rows = TableFile(folder / "export.csv", column_map=read_column_map("map.yml")).to_frame()
	made = rows.loc[0, ["loan_amnt", "term", "annual_inc", "issue_d"]].to_list()
	assert made == ["12000.00", "36", "60000", "Jan-2014"]


def test_a_map_is_written_once(folder):
	assert run("export.csv", "--to", "map.yml").exit_code == 0
	first = (folder / "map.yml").read_text("utf-8")

	again = run("export.csv", "--to", "map.yml")

	assert "map.yml exists" in again.stderr
	assert again.exit_code != 0
	assert (folder / "map.yml").read_text("utf-8") == first


def test_a_file_that_cannot_be_read_is_told_in_one_message(folder):
	(folder / "bad.csv").write_bytes(b"%PDF-1.7")

	ended = run("bad.csv")

	assert ended.exit_code == 1
	assert "bad.csv: it is a PDF document, not a CSV" in ended.stderr


@pytest.mark.parametrize(
	("name", "texts", "says", "doubt"),
	[
		("interest_rate_pct", ["12,5 %", "7,25 %"], {"unit": ["decimal_comma", "percent"]}, ""),
		("interest_rate_pct", ["0.125", "0.0725"], {"unit": "share"}, "hardly a value exceeds 1"),
		("interest_rate_pct", ["12", "low"] * 9, {}, "9 of 18 values do not fit: 'low' is not a number"),
		("issue_month", ["01/02/2014", "03/04/2014"], {"date": "%d/%m/%Y"}, "every date fits %d/%m/%Y and %m/%d/%Y"),
		("issue_month", ["Jan-2014", "soon"], {}, "its dates have no form in common: soon"),
		("loan_status", ["Current", "Late (31-120 days)"], {}, ""),
		("loan_status", ["Charged-Offf"], {"words": {"Charged-Offf": "Charged Off"}}, "'Charged-Offf' is taken for"),
		("home_ownership", ["rent", "CASTLE"], {}, "kept as they are: 'CASTLE'"),
		("loan_id", ["1", "1"], {}, "its values repeat, so they identify no loans"),
		("dti_pct", [], {}, "it has no values in the head of the file"),
	],
)
def test_values_say_how_they_are_to_be_read(name, texts, says, doubt):
	look = look_at(COLUMNS[name], name, texts)

	assert look.says == says
	assert any(doubt in each for each in look.doubts) if doubt else not look.doubts


LOANS = 2_000


def read(path):
	return TableFile(path, column_map=read_column_map("lending_club")).to_frame()


def clean(export, tmp_path):
	export.to_csv(tmp_path / "export.csv", index=False)
	return read_portfolio(read(tmp_path / "export.csv"), AS_OF, 0).rows


def test_an_export_is_read_into_the_loans_that_it_was_written_from(tmp_path):
	loans = simulate_portfolio(LOANS, seed=7).portfolio
	loans["application_type"] = np.where(loans.index % 10 == 0, "JOINT", "INDIVIDUAL")

	export = to_lending_club(loans)
	export.loc[10, "application_type"] = "JOINT"  # as in older releases

	rows = clean(export, tmp_path)

	assert rows["loan_id"].to_list() == [str(1_000_000 + number) for number in range(LOANS)]
	own = loans.columns.drop("address")
	pd.testing.assert_frame_equal(rows[own], loans[own], atol=0.005)
	place = split_address(rows["address"])
	assert place["state"].equals(split_address(loans["address"])["state"])
	assert place["pincode"].isna().all()


def test_its_notes_are_no_loans(tmp_path):
	export, path = tmp_path / "LoanStats.csv", tmp_path / "joined.csv"
	write_export(export, LOANS)
	lines = export.read_text("utf-8").splitlines()
	# As in the file that joins all quarters, where notes are as wide as rows.
	between = ['"Loans that do not meet the credit policy"', f"Total amount funded in policy code 1: 5{',' * 150}"]
	path.write_text("\n".join([*lines[:500], *between, *lines[500:]]), "utf-8")

	whole, joined = read(export), read(path)

	assert len(whole) == LOANS
	assert FAULT not in joined
	pd.testing.assert_frame_equal(joined, whole)
	assert whole[GIVEN_ID].is_unique


def test_an_older_release_with_fewer_columns_is_read(tmp_path):
	loans = simulate_portfolio(50, seed=7).portfolio
	optional = ["id", "annual_inc_joint", "dti_joint", "mort_acc", "initial_list_status", "zip_code"]

	rows = clean(to_lending_club(loans).drop(columns=optional), tmp_path)

	assert rows[["mortgage_accounts", "listing_status", "address"]].isna().all(axis=None)
	assert rows["loan_id"].is_unique
	assert rows["term_months"].equals(loans["term_months"])
