import numpy as np
import pandas as pd
import pytest
from pandera.errors import SchemaError, SchemaErrors

from loantap.portfolio.assembly import build_loan_months, join_portfolio
from loantap.portfolio.dictionary import COLUMNS, Table
from loantap.portfolio.schemas import LOAN_MONTHS, LOANS, column_schema


@pytest.fixture
def loans(clean):
	applications = clean(Table.APPLICATIONS, {}, {"revol_util": None, "emp_title": None})
	return join_portfolio(clean(Table.LOANS, {}, {}), applications).loans


def test_the_portfolio_is_accepted_as_it_is(loans):
	pd.testing.assert_frame_equal(LOANS.validate(loans), loans)


def test_columns_are_those_of_the_dictionary_with_its_meanings():
	for name, column in LOANS.columns.items():
		assert column.description == COLUMNS[name].meaning
		assert column.nullable == COLUMNS[name].nullable


@pytest.mark.parametrize(
	("name", "value"),
	[
		("loan_id", "1"),  # of both
		("is_charged_off", 2),
		("loan_amount", 0.0),
		("interest_rate_pct", 100.5),
		("term_months", 48.0),
		("grade", "H"),
		("employment_years", 11.0),
		("origin", "hearsay"),
		("annual_income", np.nan),
		("issue_month", pd.NaT),
		("purpose", np.nan),
	],
)
def test_an_invalid_value_is_refused_by_column(name, value, loans):
	bad = loans.assign(**{name: pd.Series([value] * 2, dtype=loans[name].dtype)})

	with pytest.raises(SchemaError, match=name):
		LOANS.validate(bad)


@pytest.mark.parametrize(
	("name", "dtype"),
	[
		("loan_amount", "int64"),  # never coerced: a wrong type is an error upstream
		("open_accounts", "float32"),
		("is_charged_off", "int64"),
		("grade", "category"),
		("issue_month", "str"),
	],
)
def test_a_wrong_type_is_refused(name, dtype, loans):
	with pytest.raises(SchemaError, match=name):
		LOANS.validate(loans.astype({name: dtype}))


@pytest.mark.parametrize("name", ["address", "simulated_pd"])
def test_a_column_that_has_no_place_in_the_portfolio_is_refused(name, loans):
	with pytest.raises(SchemaErrors, match=name):
		LOANS.validate(loans.assign(**{name: "12 Nowhere Lane"}))


def test_a_missing_column_is_refused(loans):
	with pytest.raises(SchemaError, match="pincode"):
		LOANS.validate(loans.drop(columns="pincode"))


def test_a_loan_has_one_row_per_month(loans, clean_events):
	events = clean_events(("1", "Feb-2014"), ("1", "Mar-2014"), ("2", "Feb-2014"), ("1", "Dec-2013"))
	built = build_loan_months(events, loans)
	months = built.rows

	LOAN_MONTHS.validate(months)
	assert built.quarantine["reason"].tolist() == ["is before the loan was issued"]
	with pytest.raises(SchemaError, match="month"):
		LOAN_MONTHS.validate(months.assign(month=pd.Timestamp("2014-02-01").as_unit("s")))


def test_the_bounds_of_the_dictionary_are_inclusive():
	schema = column_schema(COLUMNS["employment_years"]).set_name("employment_years")

	schema.validate(pd.DataFrame({"employment_years": [0.0, 10.0, np.nan]}))
	with pytest.raises(SchemaError):
		schema.validate(pd.DataFrame({"employment_years": [10.5]}))
