import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loantap.portfolio.amortisation import (
	annuity_factor,
	emi,
	emi_of_one,
	implied_principal,
	list_instalment_exceptions,
	monthly_rate,
	months_to_repay,
	scheduled_balance,
)

principals = st.floats(5, 40_000)
rates = st.one_of(st.just(0.0), st.floats(1e-9, 60))
terms = st.integers(1, 120)


def test_the_monthly_rate_is_a_twelfth_of_the_nominal_yearly_rate():
	assert monthly_rate(12.0) == pytest.approx(0.01)
	assert monthly_rate([0, 6]) == pytest.approx([0.0, 0.005])


# 1.01^12 = 1.126825, so one unit a month for a year is worth (1 - 1/1.126825)/.01 = 11.255077.
def test_the_annuity_factor_is_the_present_value_of_one_unit_a_month():
	assert float(annuity_factor(12.0, 12)) == pytest.approx(11.255077, abs=1e-6)
	assert float(annuity_factor(0.0, 12)) == 12


@pytest.mark.parametrize(
	("principal", "rate_pct", "months", "expected"),
	[
		(1_000, 12.0, 12, 88.85),  # 1,000 / 11.255077
		(12_000, 12.0, 36, 398.57),  # 1.01^36 = 1.430769: 120 / (1 - 1/1.430769)
		(10_000, 12.0, 60, 222.44),  # 1.01^60 = 1.816697: 100 / (1 - 1/1.816697)
		(1_000, 12.0, 1, 1_010.00),  # back after a month, with one month's interest
		(1_000, 12.0, 2, 507.51),  # 1,000 / (1/1.01 + 1/1.0201) = 1,000 / 1.970395
		(3_600, 0.0, 36, 100.00),  # no interest: a thirty-sixth each month
		(3_600, 1e-12, 36, 100.00),  # nearly none
	],
)
def test_the_instalment_is_the_one_worked_by_hand(principal, rate_pct, months, expected):
	assert round(float(emi(principal, rate_pct, months)), 2) == expected
	assert round(emi_of_one(principal, rate_pct, months), 2) == expected


@given(principal=principals, rate_pct=rates, months=terms)
def test_the_principal_an_instalment_implies_is_the_one_it_came_from(principal, rate_pct, months):
	instalment = emi(principal, rate_pct, months)

	assert float(implied_principal(instalment, rate_pct, months)) == pytest.approx(principal)
	assert emi_of_one(principal, rate_pct, months) == pytest.approx(float(instalment))
	assert float(months_to_repay(principal, rate_pct, instalment)) == pytest.approx(months)


@pytest.mark.parametrize("instalment", [-0.5, 0, 5, 10])
def test_no_more_than_the_interest_never_repays(instalment):
	assert not np.isfinite(months_to_repay(1_000, 12.0, instalment))


@given(principal=principals, rate_pct=rates, months=terms)
def test_more_interest_or_fewer_months_make_a_higher_instalment(principal, rate_pct, months):
	assert emi(principal, rate_pct + 1, months) > emi(principal, rate_pct, months)
	assert emi(principal, rate_pct, months) > emi(principal, rate_pct, months + 1)


@given(principal=principals, rate_pct=rates, months=terms)
def test_instalments_repay_the_principal_and_its_interest_and_nothing_else(principal, rate_pct, months):
	balances = scheduled_balance(principal, rate_pct, months, np.arange(months + 1))

	assert balances[0] == pytest.approx(principal)
	assert balances[-1] == pytest.approx(0, abs=1e-6)
	interest = balances[:-1] * monthly_rate(rate_pct)
	repaid = balances[:-1] - balances[1:]
	assert repaid + interest == pytest.approx(float(emi(principal, rate_pct, months)))


def test_the_balance_is_the_principal_at_issue_and_nothing_at_the_end():
	assert float(scheduled_balance(1_000, 12.0, 12, 0)) == pytest.approx(1_000)
	assert float(scheduled_balance(1_000, 12.0, 12, 12)) == 0
	# An instalment late, there is still nothing more to pay.
	assert float(scheduled_balance(1_000, 12.0, 12, 13)) == 0
	# Without interest it falls by equal steps.
	equal = scheduled_balance(1_200, 0.0, 12, np.arange(1, 13))
	assert equal == pytest.approx(np.arange(1_100, -1, -100.0))
	# Half-way, six instalments are to come: 88.848789 * (1 - 1/1.061520) / .01.
	assert float(scheduled_balance(1_000, 12.0, 12, 6)) == pytest.approx(514.921, abs=1e-3)


# 1,000 / 11.255077 = 88.848789. At 89 a month: ln(1 - 10/89) / -ln(1.01) = .1191885/.0099503 months.
@pytest.mark.parametrize("dtype", ["object", "uint16"])
def test_the_arithmetic_is_one_of_fractions_whatever_type_holds_the_numbers(dtype):
	principal, rate, months, late, paid = np.array([[1_000], [12], [12], [13], [89]], dtype=dtype)

	computed = (
		monthly_rate(rate),
		annuity_factor(rate, months),
		emi(principal, rate, months),
		implied_principal(paid, rate, months),
		months_to_repay(principal, rate, paid),
		scheduled_balance(principal, rate, months, late),
	)

	assert {values.dtype for values in computed} == {np.dtype(float)}
	expected = [0.01, 11.255077, 88.848789, 89 * 11.255077, 11.97834, 0]
	assert np.concatenate(computed) == pytest.approx(expected, rel=1e-5)


@pytest.fixture
def four_loans():
	"""The agreed 398.57; the same within a few cents; part-funded; and too high."""
	return pd.DataFrame(
		{
			"loan_id": ["agreed", "rounded", "part-funded", "too high"],
			"loan_amount": 12_000.0,
			"interest_rate_pct": 12.0,
			"term_months": 36.0,
			"instalment": [398.57, 398.61, 199.29, 403.81],
		}
	)


def test_an_instalment_that_is_not_the_emi_is_listed_with_the_principal_it_implies(four_loans):
	exceptions = list_instalment_exceptions(four_loans)
	assert list(exceptions.index) == [0, 1]
	assert list(exceptions) == [*four_loans, "emi", "difference", "funded_principal"]
	exceptions = exceptions.set_index("loan_id")

	assert list(exceptions.index) == ["part-funded", "too high"]
	assert exceptions["emi"].round(2).eq(398.57).all()
	assert list(exceptions["difference"].round(2)) == [-199.28, 5.24]
	assert exceptions.loc["part-funded", "funded_principal"] == pytest.approx(6_000, abs=0.2)
	assert exceptions.loc["too high", "funded_principal"] == pytest.approx(12_157.7, abs=0.1)


# The EMI is 398.5717.
@pytest.mark.parametrize(
	("instalment", "is_exception"), [(398.51, True), (398.53, False), (398.62, False), (398.63, True)]
)
def test_an_instalment_may_be_off_by_five_cents(four_loans, instalment, is_exception):
	loans = four_loans.head(1).assign(instalment=instalment)

	assert len(list_instalment_exceptions(loans)) == is_exception


def test_five_cents_to_the_last_digit_are_no_exception(four_loans):
	# 1.80 over three years without interest: 0.05 a month.
	loans = four_loans.head(1).assign(loan_amount=1.8, interest_rate_pct=0.0, instalment=0.1)

	assert list_instalment_exceptions(loans).empty
