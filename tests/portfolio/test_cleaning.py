import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from loantap.portfolio import cleaning
from loantap.portfolio.cleaning import clean_source_table, mark_outcome, no_quarantine
from loantap.portfolio.dictionary import Table
from loantap.portfolio.errors import InputError
from loantap.portfolio.statuses import Statuses
from tests.conftest import AS_OF, raw_loans, read_portfolio

A, B, C = ({"grade": grade, "sub_grade": f"{grade}4"} for grade in "ABC")


def reasons_of(raw, table):
	"""The quarantine as tuples, once it is sure that no row was lost."""
	cleaned = clean_source_table(raw, table, AS_OF)
	assert len(cleaned.rows) + len(cleaned.quarantine) == len(raw)
	assert list(cleaned.quarantine.columns) == ["loan_id", "row", "reason"]
	return list(cleaned.quarantine.itertuples(index=False, name=None))


@pytest.mark.parametrize(
	("table", "time"), [(Table.LOANS, "2026-10-01 12:00"), (Table.APPLICATIONS, "2026-10-01 17:30+05:30")]
)
def test_good_rows_are_kept_with_their_bookkeeping(table, time, extract):
	cleaned = clean_source_table(extract(table, {}, {"int_rate": "9"}, updated_at=time), table, AS_OF)

	assert cleaned.quarantine.empty
	assert list(cleaned.rows["loan_id"]) == ["1", "2"]
	assert cleaned.rows["updated_at"].eq(pd.Timestamp("2026-10-01 12:00")).all()
	assert cleaned.rows["updated_at"].dtype == "datetime64[s]"
	assert set(cleaned.rows["origin"]) == {"real"}


def test_a_bad_value_sets_its_row_aside_with_number_and_reason(extract):
	raw = extract(Table.LOANS, {}, {"int_rate": "-1", "term": "48 months"}, {})

	assert reasons_of(raw, Table.LOANS) == [("2", 2, "term '48 months' is not 36 or 60; int_rate '-1' is below 0")]
	raw = extract(Table.APPLICATIONS, {}, {"dti": "-1"})
	assert reasons_of(raw, Table.APPLICATIONS) == [("2", 2, "dti '-1' is below 0")]


@pytest.mark.parametrize(
	("bookkeeping", "reason"),
	[
		({"origin": ["real", "hearsay"]}, "origin is neither real nor simulated"),
		({"updated_at": ["2016-01-01", "soon"]}, "updated_at is not a time"),
		({"loan_id": ["2", "2   "]}, "repeats the loan_id of a row as new or newer"),
	],
	ids=["origin", "time", "padding alone"],
)
def test_a_row_is_set_aside_for_its_bookkeeping(bookkeeping, reason, extract):
	raw = extract(Table.LOANS, {}, {}, **bookkeeping)

	assert reasons_of(raw, Table.LOANS) == [("2", 2, reason)]


def test_the_first_of_rows_as_new_is_kept(extract):
	raw = extract(Table.LOANS, B, A, *[B] * 38, loan_id="1", updated_at=["2016-01-01", "2016-01-02"] * 20)

	assert [row for _, row, _ in reasons_of(raw, Table.LOANS)] == [1, *range(3, 41)]
	assert clean_source_table(raw, Table.LOANS, AS_OF).rows["grade"].iloc[0] == "A"


def test_the_latest_row_of_an_identifier_is_kept_wherever_it_stands(extract):
	raw = extract(Table.LOANS, A, B, C, loan_id=["1"] * 3)
	raw["updated_at"] = ["2016-01-01", "2016-03-01", "2016-02-01T12:00:00Z"]

	assert [row for _, row, _ in reasons_of(raw, Table.LOANS)] == [1, 3]
	assert clean_source_table(raw, Table.LOANS, AS_OF).rows["grade"].tolist() == ["B"]


def test_a_good_row_is_no_repetition_of_a_bad_one(extract):
	raw = extract(Table.LOANS, {"grade": "H"}, {"grade": "B"}, loan_id=["1", "1"])

	assert [row for _, row, _ in reasons_of(raw, Table.LOANS)] == [1]


def test_a_loan_has_one_row_per_month(extract_events):
	raw = extract_events(("1", "Feb-2014"), ("1", "Mar-2014"), ("2", "Feb-2014"), ("1", "Feb-2014"))

	assert reasons_of(raw, Table.LOAN_EVENTS) == [("1", 4, "repeats the loan_id and month of a row as new or newer")]


def test_rows_are_counted_from_one_whatever_the_index(extract):
	raw = extract(Table.LOANS, {}, {"grade": "H"}).set_axis([30, 20])

	assert [row for _, row, _ in reasons_of(raw, Table.LOANS)] == [2]


@pytest.mark.parametrize("name", ["loan_id", "int_rate"])
def test_a_source_table_without_a_column_is_refused_by_name(name, extract):
	with pytest.raises(InputError, match=f"source table loans: column {name} missing"):
		clean_source_table(extract(Table.LOANS).drop(columns=name), Table.LOANS, AS_OF)


def test_an_empty_source_table_gives_empty_rows(extract):
	cleaned = clean_source_table(extract(Table.LOANS).head(0), Table.LOANS, AS_OF)

	assert cleaned.rows.empty
	assert_frame_equal(cleaned.quarantine, no_quarantine())


def test_the_target_is_one_for_charged_off():
	outcome = mark_outcome(pd.Series(["Fully Paid", "Charged Off"]))

	assert list(outcome) == [0, 1]
	assert outcome.dtype == "int8"


def test_a_file_is_read_into_typed_rows_with_an_identifier_each():
	cleaned = read_portfolio(raw_loans({}, {"dti": "9.0"}), AS_OF, tolerated_bad_share=0)

	assert len(cleaned.rows) == 2
	assert cleaned.rows["loan_id"].is_unique
	assert list(cleaned.rows["dti_pct"]) == [18.5, 9.0]


def test_a_file_names_a_loan_the_same_whatever_became_of_it_and_in_any_order():
	changes = [{"dti": str(number)} for number in range(5)]
	forward = read_portfolio(raw_loans(*changes), AS_OF, 0).rows
	lost = [change | {"loan_status": "Charged Off"} for change in reversed(changes)]
	backward = read_portfolio(raw_loans(*lost), AS_OF, 0).rows

	assert list(forward["loan_id"]) == list(reversed(backward["loan_id"].tolist()))


def test_a_file_with_a_bad_row_is_refused_until_the_share_that_the_remedy_names_is_tolerated():
	csv = raw_loans({}, {"grade": "H"}, {"dti": "1"})
	with pytest.raises(InputError) as refused:
		read_portfolio(csv, AS_OF, 0)
	assert refused.value.problem == ("1 of 3 rows cannot be used (row 2: grade 'H' is not one of A, B, C, D, E, F, G)")
	share = float(refused.value.remedy.partition("sources.tolerated_bad_share=")[2])
	assert share == pytest.approx(1 / 3, abs=0.01)

	cleaned = read_portfolio(csv, AS_OF, share)

	assert len(cleaned.rows) == 2
	assert list(cleaned.quarantine["row"]) == [2]


@pytest.mark.parametrize(("bad", "more"), [(8, "; and 3 more)"), (5, "G)")])
def test_a_file_with_many_bad_rows_shows_the_first_five(bad, more):
	csv = raw_loans({}, *[{"dti": str(number), "grade": "H"} for number in range(bad)])

	with pytest.raises(InputError) as refused:
		list(cleaning.read_portfolio([csv.head(4), csv.iloc[4:]], AS_OF, 0.5))

	assert refused.value.problem.count("grade 'H'") == 5
	assert "row 6: grade" in refused.value.problem
	assert refused.value.problem.endswith(more)


@pytest.mark.parametrize(
	("csv", "tolerated", "said"),
	[
		(raw_loans({"grade": "H"}), 0.99, "1 of 1 rows cannot be used"),
		(raw_loans({}, {}, {"dti": "1"}), 0, "row 2: repeats an earlier row"),
		(raw_loans({}, {"loan_status": "Charged Off"}), 0, "row 2: repeats an earlier row"),
		(raw_loans().drop(columns="dti"), 0, "portfolio file: column dti missing"),
		(raw_loans().head(0), 0, "portfolio file: it has no rows"),
		(raw_loans(*[{"dti": f"0.{n}"} for n in range(10, 40)]), 0, "column dti is at most 1"),
	],
	ids=["only bad rows", "a row twice", "one with another outcome", "no column", "no rows", "another unit"],
)
def test_a_file_that_cannot_be_used_is_refused(csv, tolerated, said):
	with pytest.raises(InputError, match=said):
		read_portfolio(csv, AS_OF, tolerated)


def test_a_file_may_have_words_of_its_own_for_an_outcome():
	csv = raw_loans({"loan_status": "Default"})
	cleaned = read_portfolio(csv, AS_OF, 0, statuses=Statuses(charged_off=("default",)))

	assert cleaned.rows["loan_status"].tolist() == ["Charged Off"]


def test_a_file_may_have_further_columns():
	cleaned = read_portfolio(raw_loans().assign(zip3="123"), AS_OF, 0)

	assert "zip3" not in cleaned.rows


def test_a_file_whose_instalments_are_of_other_terms_is_refused():
	half_funded = [{"installment": "199.00", "dti": str(number)} for number in range(1, 12)]
	others = [{"title": str(number)} for number in range(89)]
	csv = raw_loans(*half_funded, *others)

	with pytest.raises(InputError, match=r"11 of 100 loans .* at most 10%"):
		read_portfolio(csv, AS_OF, 0)
	assert len(read_portfolio(csv, AS_OF, 0, max_exceptions=0.11).rows) == 100


def test_a_file_whose_rates_are_shares_is_refused_with_both_readings():
	csv = raw_loans(*[{"int_rate": "0.12", "title": str(n)} for n in range(9)])

	with pytest.raises(InputError) as refused:
		read_portfolio(csv, AS_OF, 0)

	said = str(refused.value)
	assert "9 of 9 rows cannot be used (row 1: int_rate '0.12' is contradicted by the " in said
	assert "at 0.12% it would be 333.95, at 12% 398.57" in said
	assert "tolerated_bad_share" not in said


@pytest.mark.parametrize(
	("given", "read"),
	[
		(["a1  ", " b2", "c3"], ["a1", "b2", "c3"]),  # char(24)
		(["007", "7", "A-7", "a-7"], ["007", "7", "A-7", "a-7"]),
		(
			["6F9619FF-8B86-D011-B42D-00C04FC964FF", "{6f9619ff-8b86-d011-b42d-00c04fc964fe}"],
			["6f9619ff-8b86-d011-b42d-00c04fc964ff", "6f9619ff-8b86-d011-b42d-00c04fc964fe"],
		),
		([7, 8], ["7", "8"]),
		([7.0, 8.5], ["7", "8.5"]),
	],
)
def test_an_identifier_is_the_same_however_a_system_holds_it(given, read, extract):
	raw = extract(Table.LOANS, *[{}] * len(given)).assign(loan_id=given)

	cleaned = clean_source_table(raw, Table.LOANS, AS_OF)

	assert cleaned.rows["loan_id"].tolist() == read


@pytest.mark.parametrize("nothing", ["", "    ", None])
def test_padding_alone_is_no_identifier(nothing, extract):
	raw = extract(Table.LOANS, {}, {}).assign(loan_id=["1", nothing])

	assert [reason for *_, reason in reasons_of(raw, Table.LOANS)] == ["loan_id is missing"]


def test_identifiers_too_large_for_fractions_are_refused(extract):
	raw = extract(Table.LOANS, {}, {}).assign(loan_id=[1.0, 2.0**53])

	with pytest.raises(InputError, match="loan_id: the identifiers are floating-point numbers"):
		clean_source_table(raw, Table.LOANS, AS_OF)
