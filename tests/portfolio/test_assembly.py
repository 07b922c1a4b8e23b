import re

import duckdb
import pandas as pd
import pytest

from loantap.databases.backends.embedded import DuckDB
from loantap.databases.backends.interface import Query
from loantap.portfolio.assembly import (
	build_loan_months,
	join_portfolio,
	origin_of_rows,
	portfolio_origin,
	reconcile,
	require_common_ids,
)
from loantap.portfolio.cleaning import clean_source_table
from loantap.portfolio.dictionary import Table
from loantap.portfolio.errors import InputError
from loantap.portfolio.schemas import LOAN_MONTHS, LOANS, RECONCILIATION
from tests.conftest import AS_OF

A1 = {"grade": "A", "sub_grade": "A1"}


def test_the_join_gives_one_row_per_loan_with_both_sides(clean):
	loans = clean(Table.LOANS, A1, {"loan_status": "Charged Off"})
	applications = clean(Table.APPLICATIONS, {"dti": "1"}, {"dti": "2"})

	joined = join_portfolio(loans, applications)

	assert list(joined.loans["loan_id"]) == ["1", "2"]
	assert list(joined.loans["dti_pct"]) == [1, 2]
	assert list(joined.loans["is_charged_off"]) == [0, 1]
	assert joined.unmatched_loans.empty
	assert joined.unmatched_applications.empty
	LOANS.validate(joined.loans)
	# An address is left out, but for its end.
	assert joined.loans[["state", "pincode"]].to_numpy().tolist() == [["OK", "22690"]] * 2
	assert "address" not in joined.loans


def test_the_join_implies_the_principal_that_was_funded(clean):
	loans = clean(Table.LOANS, {"installment": "199.285"})

	funded = join_portfolio(loans, clean(Table.APPLICATIONS)).loans["funded_principal"]

	assert funded.iloc[0] == pytest.approx(6_000, abs=0.1)  # half of 12,000


def test_the_join_sets_aside_what_has_no_partner_and_a_pair_that_contradicts_itself(clean):
	loans = clean(Table.LOANS, {}, {"issue_d": "Feb-2015"}, {}, loan_id=["a", "b", "c"])
	applications = clean(Table.APPLICATIONS, {}, {"earliest_cr_line": "Mar-2015"}, {}, loan_id=["c", "b", "d"])

	joined = join_portfolio(loans, applications)

	reason = "earliest_cr_line is after issue_d, Feb-2015"
	assert joined.loans["loan_id"].tolist() == ["c"]
	assert joined.unmatched_loans.to_numpy().tolist() == [["a", 1, "has no application"], ["b", 2, reason]]
	assert joined.unmatched_applications.to_numpy().tolist() == [["b", 2, reason], ["d", 3, "has no loan"]]
	LOANS.validate(joined.loans)


@pytest.mark.parametrize(
	("of_applications", "said"),
	[
		(["1A", "2A"], "'001a' is in loans, '1A' in applications; 2 differ only in capitals, zeros"),
		(["x", "y"], "'001a' is in loans, 'x' in applications. Give the same loan_id"),
	],
)
def test_the_join_of_systems_with_other_identifiers_says_how_they_differ(of_applications, said, clean):
	loans = clean(Table.LOANS, {}, {}, loan_id=["001a", "002a"])
	applications = clean(Table.APPLICATIONS, {}, {}, loan_id=of_applications)

	with pytest.raises(InputError, match=re.escape(said)):
		require_common_ids(loans, applications)


def test_the_join_does_not_depend_on_the_order_of_extraction(clean):
	loans = clean(Table.LOANS, A1, {}, {}, loan_id=["b", "c", "a"])
	applications = clean(Table.APPLICATIONS, {}, {"dti": "2"}, {}, loan_id=["a", "b", "c"])

	joined = join_portfolio(loans, applications).loans
	again = join_portfolio(loans[::-1], applications.sample(frac=1, random_state=3)).loans

	assert list(joined["loan_id"]) == ["a", "b", "c"]
	assert joined.loc[1, ["grade", "dti_pct"]].tolist() == ["A", 2.0]
	pd.testing.assert_frame_equal(joined, again)


def test_the_join_keeps_the_later_change_of_the_two_sides(clean):
	loans = clean(Table.LOANS, {}, {}, updated_at=["2026-01-05", "2026-03-05"])
	applications = clean(Table.APPLICATIONS, {}, {}, updated_at="2026-02-05")

	updated = join_portfolio(loans, applications).loans["updated_at"]

	assert list(updated) == [pd.Timestamp("2026-02-05"), pd.Timestamp("2026-03-05")]


@pytest.mark.parametrize(
	("loan", "application", "expected"),
	[("real", "real", "real"), ("simulated", "real", "simulated"), ("real", "simulated", "simulated")],
)
def test_the_join_calls_a_loan_simulated_when_either_side_is(loan, application, expected, clean):
	joined = join_portfolio(clean(Table.LOANS, origin=loan), clean(Table.APPLICATIONS, origin=application))

	assert list(joined.loans["origin"]) == [expected]


class TestLoanMonths:
	@pytest.fixture
	def loans(self, clean):
		"""Loan 1 was issued in January 2014, loan 2 in November 2013."""
		raw = clean(Table.LOANS, {}, {"issue_d": "Nov-2013"})
		return join_portfolio(raw, clean(Table.APPLICATIONS, {}, {})).loans

	def test_are_ordered_and_count_the_months_since_the_month_of_issue(self, loans, clean_events):
		events = clean_events(("2", "Dec-2014"), ("1", "Feb-2014"), ("2", "Jan-2014"), ("1", "Jan-2014"))

		months = build_loan_months(events, loans).rows

		assert list(months["loan_id"]) == ["1", "1", "2", "2"]
		assert list(months["months_on_book"]) == [0, 1, 2, 13]
		LOAN_MONTHS.validate(months)

	def test_of_unknown_loans_are_set_aside(self, loans, clean_events):
		events = clean_events(("1", "Feb-2014"), ("9", "Feb-2014"))

		kept = build_loan_months(events, loans)

		assert list(kept.rows["loan_id"]) == ["1"]
		assert kept.quarantine.to_numpy().tolist() == [["9", 2, "is about a loan that is not in the portfolio"]]


REASONS = {"loans": pd.Series(["has no application"] * 11, dtype="str")}


def count_rows(*counts, table="loans", running=0, left_out=0):
	rows = dict(zip(("extracted", "kept", "quarantined"), counts, strict=True))
	rows |= {"running": running, "left_out": left_out}
	return pd.DataFrame([{"table": table, "origin": "real"} | rows])


def account_for(*counts, share=0.05, reasons=REASONS):
	return reconcile(count_rows(*counts), max_quarantined_share=share, reasons=reasons)


def test_the_reconciliation_passes_when_every_row_is_kept_or_set_aside():
	account = account_for(200, 198, 2)

	assert account.loc[0, ["difference", "quarantined_share"]].tolist() == [0, 0.01]
	RECONCILIATION.validate(account)


def test_the_reconciliation_lets_exactly_the_tolerated_share_pass():
	assert len(account_for(200, 190, 10)) == 1


@pytest.mark.parametrize(
	("counts", "share", "said"),
	[
		((200, 197, 2), 0.05, "200 rows extracted, but 19"),  # one disappeared
		((200, 199, 2), 0.05, "200 rows extracted, but 19"),  # or appeared
		((200, 189, 11), 0.05, "11 of 200 rows are in quarantine, more than 5%"),
		((0, 0, 0), 1, "it has no rows"),
	],
)
def test_the_reconciliation_fails_when_rows_are_unaccounted_for_or_too_many_set_aside(counts, share, said):
	with pytest.raises(InputError, match=f"source table loans: {said}"):
		account_for(*counts, share=share)


def test_the_reconciliation_then_tells_the_max_frequent_reasons_and_no_single_value():
	reasons = [
		*[f"int_rate '-{n}' is below 0" for n in range(5)],
		*["address 'Main St 1\r\nOK 22690' is too long"] * 3,
		*["has no application"] * 2,
		"grade 'Z' is not one of A, B",
		"term '7' is not one of 36, 60; dti 'x' is not a number",
	]
	with pytest.raises(InputError) as refused:
		account_for(20, 8, 12, reasons={"loans": pd.Series(reasons, dtype="str")})
	assert refused.value.problem == (
		"12 of 20 rows are in quarantine, more than 5%: int_rate is below 0 (5); "
		"address is too long (3); has no application (2); other reasons (2)"
	)


def test_the_reconciliation_fails_when_no_row_is_left_and_says_why():
	reasons = {"loans": pd.Series(["loan_id is missing"] * 2, dtype="str")}

	with pytest.raises(InputError, match=r"no usable row: 2 of 2 rows .* missing \(2\)"):
		account_for(2, 0, 2, share=1, reasons=reasons)


def test_rows_left_out_are_accounted_for_and_no_fault():
	counts = count_rows(200, 95, 5, running=90, left_out=100)
	account = reconcile(counts, max_quarantined_share=0.025, reasons=REASONS)

	assert account.loc[0, ["difference", "quarantined_share"]].tolist() == [0, 0.025]


def test_the_reconciliation_fails_when_all_loans_still_run():
	with pytest.raises(InputError, match="all 9 loans still run: none has an outcome"):
		reconcile(count_rows(9, 9, 0, running=9), max_quarantined_share=0.05, reasons=REASONS)
	events = count_rows(9, 9, 0, running=9, table="loan_events")
	assert len(reconcile(events, max_quarantined_share=0.05, reasons=REASONS)) == 1


def test_the_reconciliation_names_the_table_at_fault():
	counts = pd.concat([count_rows(9, 9, 0), count_rows(9, 8, 0, table="loan_events")])

	with pytest.raises(InputError, match="source table loan_events: 9 rows extracted"):
		reconcile(counts, max_quarantined_share=0.05, reasons=REASONS)


@pytest.mark.parametrize(
	("origins", "of_the_rows", "of_the_loans"),
	[
		(["real", "real", "real"], "real", "real"),
		(["real", "real", "simulated"], "simulated", "real"),  # events beside real loans
		(["real", "simulated", "real"], "simulated", "simulated"),
	],
)
def test_an_origin_is_simulated_as_soon_as_one_row_is(origins, of_the_rows, of_the_loans):
	rows = pd.DataFrame({"table": ["loans", "applications", "loan_events"], "origin": origins})

	assert origin_of_rows(rows) == of_the_rows
	assert portfolio_origin(rows) == of_the_loans


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
def test_midnight_in_any_zone_is_the_month_it_was_written_as(zone, extract, tmp_path):
	months = ["2014-01-01", "2014-02-01", "2014-07-01", "2015-12-01"]
	given = extract(Table.LOANS, *[{"issue_d": month} for month in months])
	path = tmp_path / "source.duckdb"
	with duckdb.connect(str(path)) as connection:
		connection.execute(f"SET TimeZone = '{zone}'")
		connection.register("given", given)
		connection.execute("CREATE TABLE source AS FROM given")
		connection.execute("ALTER TABLE source ALTER issue_d TYPE TIMESTAMPTZ USING issue_d::TIMESTAMPTZ")

	raw = DuckDB("warehouse", path).read(Query("SELECT * FROM source")).read_all().to_pandas()
	cleaned = clean_source_table(raw, Table.LOANS, AS_OF)

	assert cleaned.quarantine.empty
	assert cleaned.rows["issue_month"].tolist() == [pd.Timestamp(month) for month in months]
