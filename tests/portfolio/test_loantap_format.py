from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loantap.portfolio.amortisation import emi
from loantap.portfolio.dictionary import COLUMNS, CSV_ORDER, Kind, portfolio_columns
from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import parse, render, require_columns, split_address
from tests.conftest import AS_OF, raw_loans


def parse_loans(*changes):
	return parse(raw_loans(*changes), portfolio_columns(), AS_OF)


def read_value(name, raw, dtype=None):
	column = COLUMNS[name]
	frame = pd.DataFrame({column.source_name: pd.Series([raw], dtype=dtype)})
	parsed = parse(frame, [column], AS_OF)
	return parsed.rows[name].iloc[0], list(parsed.problems["reason"])


def test_the_made_up_loan_is_read_in_full():
	parsed = parse_loans()

	assert parsed.problems.empty
	assert parsed.rows.iloc[0].to_dict() == {
		"loan_amount": 12_000.0,
		"term_months": 36.0,
		"interest_rate_pct": 12.0,
		"instalment": 398.57,
		"grade": "B",
		"sub_grade": "B4",
		"profession": "Clock maker",
		"employment_years": 4.0,
		"home_ownership": "RENT",
		"annual_income": 60_000.0,
		"income_verification": "Verified",
		"issue_month": pd.Timestamp("2014-01-01"),
		"loan_status": "Fully Paid",
		"purpose": "debt_consolidation",
		"title": "Debt consolidation",
		"dti_pct": 18.5,
		"earliest_credit_line": pd.Timestamp("2004-01-01"),
		"open_accounts": 11.0,
		"public_records": 0.0,
		"revolving_balance": 9_999.0,
		"revolving_utilisation_pct": 45.5,
		"total_accounts": 25.0,
		"listing_status": "w",
		"application_type": "INDIVIDUAL",
		"mortgage_accounts": 2.0,
		"bankruptcies": 0.0,
		"address": "12 Nowhere Lane\r\nSampleville, OK 22690",
	}


@pytest.mark.parametrize(
	("name", "raw", "expected"),
	[
		("term_months", 60, 60.0),
		("employment_years", "< 1 year", 0.0),
		("employment_years", "1 year", 1.0),
		("employment_years", "9 years", 9.0),
		("employment_years", "10+ years", 10.0),
		("employment_years", 7, 7.0),
		("interest_rate_pct", " 11.44 ", 11.44),
		("open_accounts", "7.0", 7.0),
		("annual_income", "117000", 117_000.0),
		("dti_pct", "0", 0.0),
		("dti_pct", "9999", 9_999.0),  # how the bureau writes "no income"
		("home_ownership", "NONE", "NONE"),
		("title", "None", "None"),  # what the applicant wrote, not a missing value
		("profession", "nan", "nan"),
		("profession", "Clock maker ", "Clock maker "),
		("address", "USNS Nothing\r\nFPO AE 05113", "USNS Nothing\r\nFPO AE 05113"),
	],
)
def test_a_value_is_read_as_it_is_meant(name, raw, expected):
	assert read_value(name, raw) == (expected, [])


@pytest.mark.parametrize(
	"raw",
	[
		"Jan-2015",
		"jan-2015",
		"2015-01",
		"2015-01-31",
		"2015-01-31 09:59:59",
		"2015-01-31T00:00:00Z",
		"2015-01-31T23:30:00.5+05:30",  # still January where it was written down
		pd.Timestamp("2015-01-31 09:59"),
		pd.Timestamp("2015-01-31 23:30", tz="Asia/Kolkata"),
		np.datetime64("2015-01-31"),
		date(2015, 1, 31),
	],
	ids=str,
)
def test_a_month_is_read_in_any_usual_form(raw):
	assert read_value("issue_month", raw) == (pd.Timestamp("2015-01-01"), [])


_ZONES = [("+05:45", 345), ("+14:00", 840), ("+00:00", 0), ("-03:30", -210), ("-12:00", -720)]


@pytest.mark.parametrize("form", ["text", "text in UTC", "times", "times in UTC", "times in zone"])
@pytest.mark.parametrize(("zone", "minutes"), _ZONES, ids=[zone for zone, _ in _ZONES])
def test_a_month_is_that_of_the_place_where_it_was_written(zone, minutes, form):
	"""Midnight of a first day, as a database gives it that keeps instants."""
	local = pd.Timestamp("2015-01-01")
	utc = local - pd.Timedelta(minutes=minutes)
	raw = {
		"text": f"{local.isoformat()}{zone}",
		"text in UTC": f"{utc.isoformat()}Z",
		"times": utc,
		"times in UTC": utc.tz_localize("UTC"),
		"times in zone": local.tz_localize(zone),
	}[form]

	for dtype in ("object", None):
		assert read_value("issue_month", raw, dtype) == (local, [])


@pytest.mark.parametrize(
	"moment",
	[
		"2014-01-31 23:30",
		"2014-01-31 18:30:01",
		"2014-01-31 10:07",
		"2014-01-31 23:59:59.999999",
		"2014-02-01 00:30",
		"2014-02-01 11:59:59",
	],
)
@pytest.mark.parametrize("form", [str, pd.Timestamp, lambda text: pd.Timestamp(text, tz="UTC")])
def test_a_moment_between_two_months_is_not_guessed_at(moment, form):
	for dtype in ("object", None):
		value, reasons = read_value("issue_month", form(moment), dtype)

		assert pd.isna(value)
		assert reasons == ["between two months: its time zone decides in which"]


@pytest.mark.parametrize(
	("moment", "month"),
	[
		("2014-01-31 09:45", "2014-01"),
		("2014-01-31 10:00", "2014-02"),
		("2014-02-01 12:00", "2014-02"),
		("2014-02-01 12:30", "2014-02"),
		("2014-01-15 18:30", "2014-01"),
		("2014-01-31", "2014-01"),
	],
)
def test_a_moment_is_in_one_month_where_no_zone_changes_that(moment, month):
	assert read_value("issue_month", pd.Timestamp(moment)) == (pd.Timestamp(month), [])


@pytest.mark.parametrize(
	("name", "raw", "expected"),
	[
		*[
			("purpose", raw, "debt_consolidation")
			for raw in (
				"Debt Consolidation",
				"debt-consolidation",
				"DEBT  CONSOLIDATION",
				"debt _ consolidation",
				"debt\u00a0consolidation ",
			)
		],
		("purpose", "Rénovation ", "Rénovation"),  # on no list: it is kept
		("home_ownership", "Mortgage ", "MORTGAGE"),
		("income_verification", "not_verified", "Not Verified"),
		("application_type", "direct pay", "DIRECT_PAY"),
		("listing_status", "W", "w"),
		("sub_grade", " b4", "B4"),
		("loan_status", "CHARGED OFF", "Charged Off"),
		*[("term_months", raw, 36.0) for raw in ("36", "36 months", " 36 months", "36 Months", "36months", "36.0", 36)],
		("employment_years", "10+ Years", 10.0),
		("employment_years", "<1 year", 0.0),
	],
)
def test_a_category_is_the_same_however_it_is_spelt(name, raw, expected):
	assert read_value(name, raw) == (expected, [])


@pytest.mark.parametrize("blank", [None, np.nan, "", "  "], ids=["None", "NaN", "empty", "blanks"])
@pytest.mark.parametrize("column", portfolio_columns(), ids=CSV_ORDER)
def test_a_missing_value_is_valid_where_the_dictionary_says_so(column, blank):
	value, reasons = read_value(column.name, blank, "str")

	assert pd.isna(value)
	assert reasons == ([] if column.nullable else ["missing"])


@pytest.mark.parametrize(
	("name", "raw", "reason"),
	[
		("loan_amount", "a lot", "not a number"),
		("loan_amount", "None", "not a number"),
		("loan_amount", "0", "below 1"),
		("loan_amount", "inf", "not a finite number"),
		("loan_amount", True, "not a number"),
		("annual_income", "-1", "below 0"),
		("interest_rate_pct", "101", "above 100"),
		("instalment", "0", "below 0.01"),
		("term_months", "48 months", "not 36 or 60"),
		("employment_years", "11 years", "not a whole number from 0 to 10"),
		("employment_years", "a while", "not a number"),
		("open_accounts", "7.5", "not a whole number"),
		("open_accounts", "-inf", "not a finite number"),
		("grade", "H", "not one of A, B, C, D, E, F, G"),
		("sub_grade", "B6", "not one of A1, A2, A3, ..., G5"),
		("issue_month", "31/01/2015", "not a month such as Jan-2015"),
		("issue_month", "Jan-15", "not a month such as Jan-2015"),
		("issue_month", "Dec-2026", "after the day of the run, 2026-11-23"),
		("earliest_credit_line", "2026-12-01", "after the day of the run, 2026-11-23"),
		("issue_month", "Dec-1989", "before Jan-1990"),
		("issue_month", pd.Timestamp("1989-12-31"), "before Jan-1990"),
		("earliest_credit_line", "Dec-1929", "before Jan-1930"),
	],
)
def test_a_value_that_cannot_be_used_is_missing_and_told(name, raw, reason):
	value, reasons = read_value(name, raw)

	assert pd.isna(value)
	assert reasons == [reason]


@pytest.mark.parametrize(
	("name", "month"),
	[("issue_month", "Jan-1990"), ("earliest_credit_line", "Jan-1930"), ("issue_month", "Nov-2026")],  # that of the run
)
@pytest.mark.parametrize("form", [str, pd.Timestamp])
def test_the_first_and_the_last_plausible_month_are_plausible(name, month, form):
	assert read_value(name, form(month)) == (pd.Timestamp(month), [])


def test_each_problem_names_row_column_and_value_as_they_stand_in_the_file():
	parsed = parse_loans({}, {"term": " 48 months", "grade": "H"}, {"dti": "x"})

	# The others of its row are left alone.
	assert parsed.rows["sub_grade"].tolist() == ["B4"] * 3
	assert parsed.problems[["column", "value"]].to_records().tolist() == [
		(1, "term", "48 months"),
		(1, "grade", "H"),
		(2, "dti", "x"),
	]


def test_a_long_value_such_as_a_shifted_address_is_not_told():
	address = "1 Made Up Street\r\nNowhere, OK 22690"
	problems = parse_loans({"grade": address}).problems

	assert problems["value"].iloc[0] == f"text of {len(address)} characters"


def test_parsing_keeps_the_rows_in_place_and_does_not_touch_the_input():
	raw = raw_loans({}, {"grade": "H"}, {"term": "60 months"}).set_axis([7, 3, 5])
	before = raw.copy(deep=True)

	parsed = parse(raw, portfolio_columns(), AS_OF)

	assert list(parsed.rows.index) == [7, 3, 5]
	assert list(parsed.problems.index) == [3]
	pd.testing.assert_frame_equal(raw, before)


def test_no_rows_give_no_rows_and_no_problems():
	parsed = parse(raw_loans().head(0), portfolio_columns(), AS_OF)

	assert parsed.rows.shape == (0, 27)
	assert parsed.problems.empty


@pytest.mark.parametrize(
	("address", "state", "pincode"),
	[
		("12 Nowhere Lane\r\nSampleville, OK 22690", "OK", "22690"),
		("PSC 0001, Box 0002\nAPO AE 05113", "AE", "05113"),
		("12 Nowhere Lane\r\nSampleville, OK 22690 ", "OK", "22690"),
		("OK 22690\u00a0\n", "OK", "22690"),
		("12 Nowhere Lane\r\nSampleville, XOK 22690", None, None),
		("12 Nowhere Lane", None, None),
		("12 Nowhere Lane\r\nSampleville, OK 2269", None, None),
		(None, None, None),
	],
)
def test_state_and_pincode_are_read_off_the_end_of_an_address(address, state, pincode):
	addresses = pd.Series(["Lane, TX 05113", address, address], index=[7, 5, 6], dtype="str")
	parts = split_address(addresses).loc[6]

	assert parts["state"] == state if state else pd.isna(parts["state"])
	assert parts["pincode"] == pincode if pincode else pd.isna(parts["pincode"])


@pytest.mark.parametrize(
	("dropped", "problem"), [(["dti"], "column dti missing"), (["dti", "grade"], "columns grade, dti missing")]
)
def test_a_missing_column_is_named(dropped, problem):
	with pytest.raises(InputError, match="some file: ") as refused:
		require_columns(raw_loans().drop(columns=dropped), portfolio_columns(), "some file")

	assert refused.value.problem == problem
	assert "loan_amnt, term, int_rate" in refused.value.remedy


def test_a_loan_is_written_in_the_words_of_the_file():
	written = render(parse_loans({"emp_length": "10+ years"}).rows, portfolio_columns()).iloc[0]

	assert written[["term", "emp_length", "issue_d", "loan_amnt"]].tolist() == [
		" 36 months",
		"10+ years",
		"Jan-2014",
		12_000.0,
	]


free_text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=9)


def valid_values(column):
	values: st.SearchStrategy[object]
	match column.kind:
		case Kind.MONTH:
			days = st.dates(date(1990, 1, 1), date(2026, 11, 1))
			values = days.map(lambda day: pd.Timestamp(day.replace(day=1)))
		case Kind.COUNT:
			values = st.integers(int(column.minimum or 0), int(column.maximum or 0)).map(float)
		case Kind.NUMBER if column.name == "employment_years":
			values = st.integers(0, 10).map(float)
		case Kind.NUMBER if column.values:
			values = st.sampled_from([float(v) for v in column.values])
		case Kind.NUMBER:
			values = st.floats(column.minimum, column.maximum)
		case Kind.CATEGORY:
			values = st.sampled_from(column.categories or ("RENT", "NONE", "debt_consolidation"))
		case _:
			values = free_text.filter(lambda text: text.strip() != "")
	return st.one_of(st.none(), values) if column.nullable else values


def agree(loan):
	"""The loan with what its other values say where they would contradict it."""
	instalment = float(emi(loan["loan_amount"], loan["interest_rate_pct"], loan["term_months"]))
	return loan | {
		"instalment": min(max(instalment, 0.01), 100_000.0),
		"grade": loan["sub_grade"][0],
		"earliest_credit_line": min(loan["earliest_credit_line"], loan["issue_month"]),
	}


@settings(max_examples=25)
@given(
	st.lists(
		st.fixed_dictionaries({c.name: valid_values(c) for c in portfolio_columns()}).map(agree), min_size=1, max_size=4
	)
)
def test_what_is_written_is_read_back_the_same(loans):
	dtypes = {Kind.MONTH: "datetime64[s]", Kind.TEXT: "str", Kind.CATEGORY: "str"}
	rows = pd.DataFrame(loans, columns=list(CSV_ORDER)).astype(
		{c.name: dtypes.get(c.kind, "float64") for c in portfolio_columns()}
	)

	parsed = parse(render(rows, portfolio_columns()), portfolio_columns(), AS_OF)

	assert parsed.problems.empty
	pd.testing.assert_frame_equal(parsed.rows, rows, check_exact=True)
