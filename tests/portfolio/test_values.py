from dataclasses import replace
from decimal import Decimal
from zoneinfo import available_timezones

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loantap.portfolio.column_reading import Texts, read_column
from loantap.portfolio.dictionary import COLUMNS, CSV_ORDER, Kind, portfolio_columns
from loantap.portfolio.values import find_months, list_rules, make_reader, show_value, to_days
from tests.conftest import AS_OF, MADE_UP_LOAN

every_column = pytest.mark.parametrize("column", portfolio_columns(), ids=CSV_ORDER)
NUMBERS = [c for c in portfolio_columns() if c.kind in {Kind.NUMBER, Kind.COUNT}]
texts = st.one_of(
	st.sampled_from([*MADE_UP_LOAN.values(), "", "  ", "n/a", "now", "2015", "Dec-2099", "H"]),
	st.text("0123456789+-.eE_<xinfatyNA ", max_size=8),
)


def read_in_column(column, raw):
	read = read_column(raw, column, AS_OF)
	faults = read.faults if len(read.faults) else np.zeros(len(raw), dtype=int)
	if isinstance(read.values, Texts):
		values = [read.values.values[c] if c >= 0 else None for c in read.values.codes]
	else:
		values = [None if np.isnan(value) else value for value in read.values]
	return list(zip(values, [read.reasons[fault] for fault in faults], strict=True))


def read_alone(column, raw):
	value, reason = make_reader(column)(raw, to_days(AS_OF))
	return (None if isinstance(value, float) and np.isnan(value) else value), reason


@every_column
@given(st.lists(st.one_of(texts, st.none()), min_size=1, max_size=6))
def test_a_text_is_read_as_in_a_column_of_texts(column, raw):
	expected = [read_alone(column, value) for value in raw]

	for dtype in ("str", "object", "category"):
		assert read_in_column(column, pd.Series(raw, dtype=dtype)) == expected


@pytest.mark.parametrize("column", NUMBERS, ids=[c.name for c in NUMBERS])
@given(
	st.lists(st.floats(width=32), min_size=1, max_size=6), st.lists(st.integers(-(2**53), 2**53), min_size=1, max_size=6)
)
def test_a_number_is_read_as_in_a_column_of_numbers(column, fractions, whole):
	for raw, dtypes in ((fractions, ("float64", "float32", "object", "Float64")), (whole, ("int64", "Int64", "object"))):
		expected = [read_alone(column, value) for value in raw]
		for dtype in dtypes:
			assert read_in_column(column, pd.Series(raw, dtype=dtype)) == expected


def test_no_rule_is_broken_by_a_missing_number():
	rules = [breaks for column in NUMBERS for breaks, _ in list_rules(column)]

	assert not any(breaks(np.nan) for breaks in rules)


@pytest.mark.parametrize(
	("raw", "reason"), [(np.timedelta64("NaT"), ""), (np.timedelta64(3, "D"), "not a number")], ids=["NaT", "3 days"]
)
def test_a_span_of_time_is_no_number_and_one_that_is_missing_is_missing(raw, reason):
	assert read_alone(COLUMNS["employment_years"], raw) == (None, reason)


@pytest.mark.parametrize("equal", [True, np.bool_(True), 1, 1.0, "1", Decimal(1)], ids=repr)
def test_what_python_holds_for_equal_is_told_apart_in_one_column(equal):
	read = read_in_column(COLUMNS["loan_amount"], pd.Series([1, equal, True], dtype="object"))

	expected = (None, "not a number") if isinstance(equal, bool | np.bool_) else (1.0, "")
	assert read == [(1.0, ""), expected, (None, "not a number")]


@pytest.mark.parametrize(
	("raw", "shown"),
	[
		(None, ""),
		(pd.NA, ""),
		(" x ", "x"),
		(-1.0, "-1.0"),
		(True, "True"),
		(pd.Timestamp("2099-01-01"), "2099-01-01"),
		("y" * 20, "y" * 20),
		("y" * 21, "text of 21 characters"),
	],
)
def test_a_value_is_shown_as_it_stands_and_a_long_one_by_its_length(raw, shown):
	assert show_value(raw) == shown


@pytest.mark.parametrize(
	("name", "raw", "value", "reason"),
	[
		("loan_amount", "1E3", 1_000, ""),
		("loan_amount", "\u0661\u0662", None, "not a number"),
		("loan_amount", 10**400, None, "not a finite number"),
		("open_accounts", "500", 500, ""),
		("open_accounts", "501", None, "above 500"),
		("sub_grade", "H1", None, "not one of A1, A2, A3, ..., G5"),
	],
	ids=["exponent", "other digits", "too large", "most", "more", "long list"],
)
def test_a_value_is_read_or_told_what_is_wrong(name, raw, value, reason):
	assert read_alone(COLUMNS[name], raw) == (value, reason)


@pytest.mark.parametrize(
	("name", "changes", "raw", "reason"),
	[
		("term_months", {"values": (36,)}, "37", "not 36"),
		("term_months", {"values": (36, 37)}, "38", "not 36 or 37"),
		("term_months", {"values": (36, 38)}, "37", "not 36 or 38"),
		("term_months", {"values": (36, 37, 38)}, "35", "not a whole number from 36 to 38"),
		("grade", {"categories": tuple("ABCDEFGH")}, "I", "not one of A, B, C, D, E, F, G, H"),
		("grade", {"categories": tuple("ABCDEFGHI")}, "J", "not one of A, B, C, ..., I"),
	],
)
def test_what_another_lender_has_is_told_in_short(name, changes, raw, reason):
	column = replace(COLUMNS[name], **changes)

	assert read_alone(column, raw) == (None, reason)
	assert read_in_column(column, pd.Series([raw])) == [(None, reason)]


# The east is 14 hours ahead of UTC, the west 12 behind.
@pytest.mark.parametrize(
	("moment", "month", "is_unclear"),
	[
		("2019-12-31 09:59:59", "2019-12", False),
		("2019-12-31 10:00:01", "2019-12", True),
		("2020-01-01 11:59:59", "2020-01", True),
		("2020-01-01 12:00:01", "2020-01", False),
	],
)
def test_a_moment_is_unclear_while_the_world_has_two_months(moment, month, is_unclear):
	months, unclear = find_months(np.array([moment], dtype="datetime64[us]"))

	assert (months.astype(str), unclear) == ([month], [is_unclear])


@pytest.mark.parametrize("first", ["2020-01-01", "2020-07-01"])
def test_midnight_of_a_first_day_is_that_day_in_every_zone_of_the_world(first):
	moments = [pd.Timestamp(first, tz=zone).tz_convert(None) for zone in available_timezones()]

	months, is_unclear = find_months(np.array(moments, dtype="datetime64[us]"))

	assert set(months.astype(str)) == {first[:7]}
	assert not is_unclear.any()


@pytest.mark.parametrize("text", ["now", "today", "yesterday", "0000-01-01", "2015", "02/01/2015"])
def test_a_month_is_never_guessed(text):
	assert read_alone(COLUMNS["issue_month"], text) == (None, "not a month such as Jan-2015")


@pytest.mark.parametrize(
	("text", "reason"), [("Dec-1989", "before Jan-1990"), ("0001-01-01", "before Jan-1990"), ("Jan-1990", "")]
)
def test_the_first_plausible_month_is_plausible(text, reason):
	assert read_alone(COLUMNS["issue_month"], text)[1] == reason


@pytest.mark.parametrize(("as_of", "is_future"), [("2016-02-29", True), ("2016-03-01", False), ("2016-03-31", False)])
def test_a_month_has_begun_on_its_first_day(as_of, is_future):
	column, day = COLUMNS["issue_month"], pd.Timestamp(as_of)

	alone, _ = make_reader(column)("Mar-2016", to_days(day))
	together = read_column(pd.Series(["Mar-2016"]), column, day).values

	assert (bool(np.isnan(alone)), bool(np.isnan(together[0]))) == (is_future, is_future)
