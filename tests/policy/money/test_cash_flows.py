import numpy as np
import numpy_financial as npf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from loantap.policy.money.cash_flows import (
	Economics,
	Scenario,
	default_months,
	expected_loss,
	expected_npv,
	exposure_at_default,
	settled_months,
	value_unit,
	value_units,
)
from tests.policy.shipped import ECONOMICS, PLAIN, read_economics

rates = st.one_of(st.just(0.0), st.floats(0.5, 40))
terms = st.sampled_from([1, 2, 12, 36, 60])
scenarios = st.builds(
	lambda paid, earlier, **others: Scenario(paid_share_of_term=paid, default_at_share_of_term=earlier * paid, **others),
	paid=st.floats(0.05, 1),
	earlier=st.floats(0.05, 0.99),
	cost_of_funds_pct=st.one_of(st.just(0.0), st.floats(0.1, 30)),
	loss_given_default=st.floats(0, 1),
	origination_cost_share=st.floats(0, 0.05),
)


def reference(rate, term, months, share, scenario):
	"""NPV per unit, from the flows of each month and numpy-financial's functions."""
	instalment = -npf.pmt(rate / 1200, term, 1)
	balance = 1.0
	flows = [-1 - scenario.origination_cost_share]
	for _ in range(months):
		balance = balance * (1 + rate / 1200) - instalment
		flows.append(instalment)
	flows[-1] += share * balance
	return float(npf.npv(scenario.cost_of_funds_pct / 1200, flows))


# At 12% the EMI of 1,000 over 12 months is 88.85; half a year of it is worth 88.85 * (1 - 1.005^-6) / .005 = 523.89 at
# 6%. The balance then is 88.85 * (1 - 1.01^-6) / .01 = 514.92; .4 of it are 205.97, worth 199.90 today. 523.89 + 199.90
# - 1,010 = -286.22. All twelve are worth 88.85 * (1 - 1.005^-12) / .005 = 1,032.33: paid back it earns 22.33.
def test_a_loan_at_interest_worked_by_hand():
	values = value_unit(12, 12, PLAIN)

	assert 1_000 * values.charged_off == pytest.approx(-286.22, abs=0.02)
	assert 1_000 * values.paid == pytest.approx(22.33, abs=0.02)
	assert values.margin(22.33 / (22.33 + 286.22)) == pytest.approx(0, abs=1e-5)


# Settled after 6 of 12 months: 523.89 and the balance of 514.92, worth 499.74 today, less 1,010.
def test_a_loan_that_is_prepaid_earns_less():
	prepaid = PLAIN.model_copy(update={"paid_share_of_term": 0.5})

	assert 1_000 * value_unit(12, 12, prepaid).paid == pytest.approx(13.63, abs=0.02)
	assert 1_000 * value_units(12, 12, PLAIN, 6).paid == pytest.approx(13.63, abs=0.02)


# 5% of 12 months are .6, one month; 1% are .12, none, and a loan is settled after one all the same.
# A month after issue 1,010 come in, worth 1,010 / 1.005 = 1,004.98 today, less 1,010.
@pytest.mark.parametrize("paid_share", [0.05, 0.01])
def test_a_loan_is_settled_after_one_instalment_at_the_earliest(paid_share):
	at_once = PLAIN.model_copy(update={"paid_share_of_term": paid_share})

	assert settled_months(12, at_once) == 1
	assert 1_000 * value_unit(12, 12, at_once).paid == pytest.approx(-5.02, abs=0.01)
	assert 1_000 * value_units(12, 12, at_once).paid == pytest.approx(-5.02, abs=0.01)


@given(rate=rates, term=terms, scenario=scenarios)
def test_values_are_those_of_the_flows_month_by_month(rate, term, scenario):
	values = value_units(rate, term, scenario)

	stops = int(default_months(term, scenario))
	settled = int(settled_months(term, scenario))
	recovered = 1 - scenario.loss_given_default
	assert values.paid == pytest.approx(reference(rate, term, settled, 1, scenario), abs=1e-9)
	assert values.charged_off == pytest.approx(reference(rate, term, stops, recovered, scenario), abs=1e-9)


@given(rate=rates, term=terms, scenario=scenarios, pd_=st.floats(0, 1))
def test_one_loan_is_worth_what_it_is_among_others(rate, term, scenario, pd_):
	one = value_unit(rate, term, scenario)
	many = value_units([rate, 13.0], [term, 36], scenario)

	assert one.paid == pytest.approx(many.paid[0], abs=1e-12)
	assert one.charged_off == pytest.approx(many.charged_off[0], abs=1e-12)
	assert one.margin(pd_) == pytest.approx(many.margin(pd_)[0], abs=1e-12)


@pytest.mark.parametrize(
	("rate", "term"), [(np.nan, 36), (np.inf, 36), (-0.5, 36), (-1_200, 36), (12, np.nan), (12, np.inf), (12, 0), (0, 0)]
)
def test_what_is_no_rate_or_no_term_makes_no_value(rate, term):
	one, many = value_unit(rate, term, PLAIN), value_units([rate, 12], [term, 12], PLAIN)

	assert np.isnan([one.paid, one.charged_off, one.margin(0.1)]).all()
	assert np.isnan([many.paid[0], many.charged_off[0]]).all()
	assert many.paid[1] == pytest.approx(value_unit(12, 12, PLAIN).paid)


def test_none_in_a_column_is_a_missing_number():
	column = [None, 12]
	for computed in (
		value_units(column, 12, PLAIN).paid,
		value_units(12, column, PLAIN).paid,
		value_units(12, 12, PLAIN, column).paid,
		default_months(column, PLAIN),
		settled_months(column, PLAIN),
		expected_loss(column, 1, 12, 12, PLAIN),
		expected_npv(column, 1, 12, 12, PLAIN),
		expected_npv(1, column, 12, 12, PLAIN),
	):
		assert np.isnan(computed).tolist() == [True, False]


def test_expected_loss_is_pd_times_lgd_times_ead():
	assert exposure_at_default(1_000, 12, 12, PLAIN) == pytest.approx(514.92, abs=0.01)
	assert expected_loss(0.2, 1_000, 12, 12, PLAIN) == pytest.approx(0.2 * 0.6 * 514.92, abs=0.01)


def test_expected_npv_is_in_currency_and_linear_in_pd_and_principal():
	npv = expected_npv([0, 1, 0.5, 0.5], [1_000, 1_000, 1_000, 2_000], 12, 12, PLAIN)

	assert npv == pytest.approx([22.33, -286.22, -131.94, -263.89], abs=0.03)


def test_the_shipped_scenarios_grow_harder():
	mild, mid, hard = ECONOMICS.scenarios.values()

	for name in ("cost_of_funds_pct", "loss_given_default", "origination_cost_share"):
		assert getattr(mild, name) < getattr(mid, name) < getattr(hard, name)
	assert ECONOMICS.main_scenario == mid


def change(scenario, **changed):
	scenarios = read_economics()["scenarios"]
	return read_economics(scenarios=scenarios | {scenario: scenarios[scenario] | changed})


@pytest.mark.parametrize(
	("group", "said"),
	[
		(
			change("mild", loss_given_default=0.2),
			r"scenarios\.mild\.loss_given_default: 0\.2 is outside of the range from 0\.3 to 1 \(",
		),
		(
			change("mid", paid_share_of_term=0.4),
			r"scenarios\.mid\n.*default_at_share_of_term 0\.4 is not below paid_share_of_term 0\.4",
		),
		(
			change("hard", default_at_share_of_term=0.7, paid_share_of_term=0.5),
			r"scenarios\.hard\n.*so that a riskier loan could be worth more",
		),
		(read_economics(scenarios={}), r"scenarios\n.*at least 1"),
		(read_economics(main="gentle"), r"no scenario gentle; give one of mild, mid, hard"),
		(read_economics(ranges={}), r"has no range"),
	],
)
def test_an_assumption_out_of_range_is_refused(group, said):
	with pytest.raises(ValidationError, match=said):
		Economics.model_validate(group)


def test_a_loan_may_be_settled_soon_after_others_stop_paying():
	Economics.model_validate(change("mid", paid_share_of_term=0.41))


def test_one_scenario_at_the_bounds_of_its_ranges_is_enough():
	mid = read_economics()["scenarios"]["mid"]
	ranges = {name: {"low": value, "high": value, "source": "agreed"} for name, value in mid.items()}

	Economics.model_validate(read_economics(scenarios={"mid": mid}, ranges=ranges))


def test_a_range_that_is_crossed_is_refused():
	crossed = read_economics()["ranges"] | {"loss_given_default": {"low": 0.9, "high": 0.3, "source": "nobody"}}

	with pytest.raises(ValidationError, match=r"low 0\.9 is above high 0\.3"):
		Economics.model_validate(read_economics(ranges=crossed))
