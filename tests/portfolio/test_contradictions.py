import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loantap.portfolio.amortisation import emi, emi_of_one
from loantap.portfolio.contradictions import (
	TERMS,
	contradict,
	find_conflicts,
	find_contradictions,
	is_off,
	require_few_exceptions,
	tell_remedy,
)
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import parse
from tests.conftest import AS_OF, raw_loans

# 12,000 over three years at 12 percent: 398.57 a month.
AMOUNT, RATE, MONTHS, INSTALMENT = LOAN = (12_000.0, 12.0, 36.0, 398.57)
EXACT = emi_of_one(AMOUNT, RATE, MONTHS)


@pytest.mark.parametrize(
	("terms", "column", "said"),
	[
		((AMOUNT, 0.12, MONTHS, INSTALMENT), "interest_rate_pct", "at 0.12% it would be 333.95, at 12% 398.57"),
		# As a share, rounded to two decimals.
		((20_000.0, 0.11, 60.0, 431.73), "interest_rate_pct", "at 11% 434.85"),
		# A monthly rate.
		((AMOUNT, 1.0, MONTHS, INSTALMENT), "interest_rate_pct", "at 12% 398.57"),
		((AMOUNT, 0.5, MONTHS, 365.06), "interest_rate_pct", "at 6% 365.06"),
		((AMOUNT, 2.5, MONTHS, 509.42), "interest_rate_pct", "at 30% 509.42"),
		((AMOUNT, 0.0, MONTHS, INSTALMENT), "interest_rate_pct", "at 0% it would be 333.33$"),
		((AMOUNT, 0.009, MONTHS, INSTALMENT), "interest_rate_pct", "at 0.9% 337.98"),
		# Nothing bears out a rate that no loan has.
		((AMOUNT, 0.12, MONTHS, 250.0), "interest_rate_pct", "instalment of 250.00"),
		# Cents, thousands.
		((AMOUNT, RATE, MONTHS, 100 * INSTALMENT), "instalment", "make 398.57 a month, not 39,857.00"),
		((100 * AMOUNT, RATE, MONTHS, INSTALMENT), "instalment", "1,200,000 at 12% over 36 months make 39,857.17"),
		((AMOUNT / 1_000, RATE, MONTHS, INSTALMENT), "instalment", "12 at 12% over 36 months make 0.40 a month"),
		((AMOUNT, RATE, MONTHS, 2.01 * INSTALMENT), "instalment", "398.57"),
		((AMOUNT, RATE, MONTHS, 0.049 * INSTALMENT), "instalment", "398.57"),
	],
)
def test_a_number_in_another_unit_is_contradicted(terms, column, said):
	named, reason = contradict(*terms)

	assert named == column
	assert reason.startswith("contradicted by ")
	assert said in f"{reason}$"
	assert tell_remedy(named, reason)
	assert tell_remedy(named, "missing") == ""


@pytest.mark.parametrize(
	"terms",
	[
		LOAN,
		(AMOUNT, RATE, MONTHS, INSTALMENT + 0.05),
		(AMOUNT, RATE, MONTHS, 1.009 * INSTALMENT),  # rounded rates
		(AMOUNT, RATE, MONTHS, 0.5 * INSTALMENT),  # half funded
		(AMOUNT, RATE, MONTHS, 0.101 * INSTALMENT),  # the least funded of 2010
		(AMOUNT, RATE, MONTHS, 1.18 * INSTALMENT),  # an exception that is higher
		(AMOUNT, 0.9, MONTHS, 337.98),  # a rate below 1 percent that the instalment bears out
		(AMOUNT, 0.0, MONTHS, 333.33),
		(AMOUNT, 1.0, MONTHS, 200.0),  # part-funded at 1 percent: no other rate makes 200.00
		(AMOUNT, 3.5, MONTHS, 591.41),  # no loan bears 42 percent
		(AMOUNT, 3.0, MONTHS, 549.65),  # nor 36
		(AMOUNT, RATE, MONTHS, 2 * EXACT),
		(AMOUNT, RATE, MONTHS, 0.05 * EXACT),
		(AMOUNT, 5.32, 60.0, 228.1),  # the cheapest there is
		(AMOUNT, 0.12, MONTHS, np.nan),  # nothing to hold it against
		*[tuple(np.nan if n == missing else LOAN[n] for n in range(4)) for missing in range(4)],
	],
	ids=str,
)
def test_terms_that_may_be_honest_are_left_alone(terms):
	assert contradict(*terms) == ("", "")


@given(st.floats(1, 1_000_000), st.floats(0, 100), st.sampled_from([36.0, 60.0]), st.floats(0.01, 100_000))
@example(AMOUNT, 0.5, MONTHS, 341.0)
def test_a_row_of_many_is_judged_as_alone(amount, rate, months, instalment):
	columns = {
		name: np.array([value, np.nan, good])
		for name, value, good in zip(TERMS, (amount, rate, months, instalment), LOAN, strict=True)
	}

	found = [(each.row, each.column, each.reason) for each in find_contradictions(columns)]

	named, reason = contradict(amount, rate, months, instalment)
	assert found == ([(0, named, reason)] if named else [])


@pytest.mark.parametrize(("times", "off"), [(1.0, 0), (1.0099, 0), (1.0101, 1), (0.9899, 1)])
def test_an_instalment_is_off_by_more_than_one_percent(times, off):
	exact = float(emi(AMOUNT, RATE, MONTHS))
	columns = {n: np.array([v]) for n, v in zip(TERMS, (*LOAN[:3], times * exact), strict=True)}

	assert is_off(columns).sum() == off


@pytest.mark.parametrize(
	("change", "problem"),
	[
		({"sub_grade": "C1"}, "sub_grade 'C1' is not one of grade B"),
		({"earliest_cr_line": "Feb-2014"}, "earliest_cr_line 'Feb-2014' is after issue_d, Jan-2014"),
		({"installment": "1e4"}, "12,000 at 12% over 36 months make 398.57 a month, not 10,000.00"),
	],
)
def test_a_row_whose_values_contradict_each_other_is_a_problem(change, problem):
	# A credit line as old as the loan is no contradiction.
	rows = raw_loans({}, change, {"earliest_cr_line": "Jan-2014"})
	parsed = parse(rows, portfolio_columns(), AS_OF)

	[found] = parsed.problems.itertuples()
	assert found.Index == 1
	assert f"{found.column} '{found.value}' is {found.reason}".endswith(problem)


def test_the_columns_that_conflict_are_enough():
	grades = pd.DataFrame({"grade": ["B"], "sub_grade": ["C1"]})
	months = pd.DataFrame({"issue_month": ["2014-01"], "earliest_credit_line": ["2014-02"]}, dtype="datetime64[s]")

	found = [(each.row, each.column) for rows in (grades, months) for each in find_conflicts(rows)]
	assert found == [(0, "sub_grade"), (0, "earliest_credit_line")]


@pytest.mark.parametrize(("exceptions", "rows"), [(0, 1), (26, 5_239), (10, 100)])
def test_up_to_the_limit_they_are_exceptions(exceptions, rows):
	require_few_exceptions("portfolio file", exceptions, rows, 0.1, "sources.x")


def test_beyond_it_the_file_is_refused_with_what_would_allow_it():
	with pytest.raises(InputError) as refused:
		require_few_exceptions("portfolio file", 11, 100, 0.1, "sources.x")

	assert refused.value.problem == (
		"the instalments of 11 of 100 loans do not follow from their amounts, rates and terms; "
		"at most 10% may be such exceptions"
	)
	share = float(refused.value.remedy.rpartition("sources.x=")[2])
	require_few_exceptions("portfolio file", 11, 100, share, "sources.x")
