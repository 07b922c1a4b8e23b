import pandas as pd
import pytest
from pydantic import ValidationError

from loantap.portfolio.assembly import divide_left_out, join_portfolio
from loantap.portfolio.cleaning import clean_source_table
from loantap.portfolio.dictionary import Table
from loantap.portfolio.errors import InputError
from loantap.portfolio.schemas import LOANS, RUNNING_LOANS
from loantap.portfolio.statuses import Statuses, read_statuses
from tests.conftest import AS_OF, raw_loans, read_portfolio

MAPPED = Statuses(
	paid=("closed",), late_31_120=("DPD 60",), left_out=({"status": "Sold", "reason": "sold to another lender"},)
)


def read(*words, statuses=MAPPED):
	found = read_statuses(pd.Series(words, dtype="object"), statuses, "here")
	return found.words.to_list(), found.left_out.to_list()


@pytest.mark.parametrize(
	("word", "meaning"),
	[
		("Fully Paid", "Fully Paid"),
		("Does not meet the credit policy. Status:Charged Off", "Charged Off"),
		(" late (31-120 DAYS) ", "Late (31-120 days)"),
		("Late (16-30 days)", "Late (16-30 days)"),
		("In Grace Period", "In Grace Period"),
		("Issued", "Current"),
		("Default", "Default"),
		("Closed", "Fully Paid"),
		("DPD 60", "Late (31-120 days)"),
	],
)
def test_a_word_is_read_as_it_is_known_or_mapped(word, meaning):
	words, left_out = read(word)

	assert words == [meaning]
	assert pd.isna(left_out[0])


def test_rows_that_are_no_loans_are_left_out_with_their_reason():
	assert read("Withdrawn", "sold")[1] == ["left out: it was not funded", "left out: sold to another lender"]


def test_configuration_goes_before_what_is_known():
	assert read("Default", statuses=Statuses(charged_off=("default",)))[0] == ["Charged Off"]


@pytest.mark.parametrize("missing", [None, "", " ", float("nan")])
def test_a_missing_status_is_missing(missing):
	words, left_out = read(missing, "Current")

	assert pd.isna(words[0])
	assert pd.isna(left_out[0])


def test_a_word_that_nobody_mapped_stops_with_its_rows_and_where_to_map_it():
	with pytest.raises(InputError) as refused:
		read("Frozen", "Frozen", "Current", *"abcdef")

	assert "'Frozen' (2 rows)" in refused.value.problem
	assert "and 2 more" in refused.value.problem
	assert "under ingestion.statuses" in refused.value.remedy


@pytest.mark.parametrize(
	"given",
	[
		{"paid": ["Closed"], "current": ["closed "]},
		{"left_out": [{"status": "Sold"}]},
		{"repaid": ["Closed"]},
		{"paid": [""]},
	],
)
def test_a_map_that_cannot_be_meant_is_refused(given):
	with pytest.raises(ValidationError):
		Statuses(**given)


class TestOfASource:
	CHANGES = (
		{"loan_status": "DPD 60"},
		{"loan_status": "Closed"},
		{"loan_status": "Sold", "issue_d": None},
		{"loan_status": "Current", "grade": "?"},
		{"loan_status": "Charged Off"},
	)

	@pytest.fixture
	def cleaned(self, extract):
		return clean_source_table(extract(Table.LOANS, *self.CHANGES), Table.LOANS, AS_OF, MAPPED)

	def test_running_loans_are_kept_and_the_others_told_apart(self, cleaned):
		assert dict(zip(cleaned.rows["loan_id"], cleaned.rows["loan_status"], strict=True)) == {
			"1": "Late (31-120 days)",
			"2": "Fully Paid",
			"5": "Charged Off",
		}
		assert cleaned.quarantine["reason"].to_list() == [
			"left out: sold to another lender",
			"grade '?' is not one of A, B, C, D, E, F, G",
		]

	def test_they_have_no_target_and_a_table_of_their_own(self, cleaned, clean):
		portfolio = join_portfolio(cleaned.rows, clean(Table.APPLICATIONS, *[{}] * 5))

		assert portfolio.loans["is_charged_off"].to_list() == [0, 1]
		assert portfolio.running_loans["loan_id"].to_list() == ["1"]
		LOANS.validate(portfolio.loans)
		RUNNING_LOANS.validate(portfolio.running_loans)

	def test_what_belongs_to_a_loan_left_out_is_left_out_as_well(self, cleaned, clean):
		applications = clean(Table.APPLICATIONS, *[{}] * 6)
		portfolio = join_portfolio(cleaned.rows, applications)
		left_out, reasons = divide_left_out(
			{
				"loans": pd.concat([cleaned.quarantine, portfolio.unmatched_loans]),
				"applications": portfolio.unmatched_applications,
			}
		)

		assert left_out == {"loans": 1, "applications": 1}
		# Loan 4 cannot be used, and of loan 6 there is none.
		assert {table: len(rows) for table, rows in reasons.items()} == {"loans": 1, "applications": 2}

	def test_a_newer_row_that_is_left_out_takes_the_place_of_an_older_one(self, extract):
		raw = extract(
			Table.LOANS,
			{"loan_status": "Closed"},
			{"loan_status": "Sold"},
			loan_id="7",
			updated_at=["2026-01-01", "2026-02-01"],
		)
		cleaned = clean_source_table(raw, Table.LOANS, AS_OF, MAPPED)

		assert cleaned.rows.empty
		assert cleaned.quarantine["reason"].str[:8].to_list() == ["repeats ", "left out"]


def test_running_loans_are_no_bad_rows_and_those_left_out_neither():
	csv = raw_loans({}, {"loan_status": "Current", "dti": "9"}, {"loan_status": "Withdrawn", "issue_d": ""})
	cleaned = read_portfolio(csv, AS_OF, tolerated_bad_share=0)

	assert cleaned.rows["loan_status"].to_list() == ["Fully Paid", "Current"]
	assert cleaned.quarantine["reason"].to_list() == ["left out: it was not funded"]


def test_a_file_without_any_loan_is_refused():
	with pytest.raises(InputError, match="all its rows are left out"):
		read_portfolio(raw_loans({"loan_status": "Expired"}), AS_OF, tolerated_bad_share=0)
