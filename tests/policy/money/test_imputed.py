import numpy as np
import numpy_financial as npf
import pandas as pd
import pytest

from loantap.policy.money.cash_flows import PaidLife
from loantap.policy.money.returns import (
	ImputedFlows,
	estimate_mean,
	impute_flows,
	pool_flows,
	tabulate_profits,
	yearly_return,
)
from tests.policy.shipped import ECONOMICS, PLAIN


def loan(**changed):
	return {
		"loan_amount": 1_000.0,
		"interest_rate_pct": 12.0,
		"term_months": 12.0,
		"issue_month": pd.Timestamp("2014-01-01"),
		"is_charged_off": 0,
	} | changed


LOANS = pd.DataFrame([loan(), loan(is_charged_off=1), loan(issue_month=pd.Timestamp("2016-09-01"))])


def impute(loans=LOANS, scenario=PLAIN, life=PaidLife.CONTRACTUAL):
	return impute_flows(loans, scenario, ECONOMICS, life)


def test_a_paid_loan_runs_its_term_and_a_charged_off_one_stops():
	flows = impute()

	assert flows.months.tolist() == [12, 6, 12]
	assert flows.instalment == pytest.approx([88.85] * 3, abs=0.01)
	assert flows.last == pytest.approx([0, 0.4 * 514.92, 0], abs=0.01)
	assert flows.cost == pytest.approx([1_010] * 3)
	assert flows.npv == pytest.approx([22.33, -286.22, 22.33], abs=0.02)


# From September 2016 to March 2017, when outcomes were last observed, are six months.
def test_capped_a_paid_loan_runs_no_longer_than_it_was_observed():
	flows = impute(life=PaidLife.CAPPED)

	assert flows.months.tolist() == [12, 6, 6]
	assert flows.last == pytest.approx([0, 0.4 * 514.92, 514.92], abs=0.01)
	assert flows.npv == pytest.approx([22.33, -286.22, 13.63], abs=0.02)


def test_a_loan_of_the_last_month_is_settled_after_one():
	loans = pd.DataFrame([loan(issue_month=pd.Timestamp("2017-03-01"))])

	assert impute(loans, life=PaidLife.CAPPED).months.tolist() == [1]


def test_loans_pool_month_by_month():
	flows = impute(life=PaidLife.CAPPED)

	pooled = pool_flows(flows)

	assert pooled[0] == 0
	assert pooled[1:6] == pytest.approx([3 * 88.8488] * 5, abs=0.01)
	assert pooled[6] == pytest.approx(3 * 88.8488 + 205.97 + 514.92, abs=0.02)
	assert pooled[7:] == pytest.approx([88.8488] * 6, abs=0.01)


def test_the_return_of_many_is_that_of_their_pooled_flows():
	loans = pd.DataFrame([loan(interest_rate_pct=6.0 + n % 19, is_charged_off=int(n % 5 == 0)) for n in range(300)])
	flows = impute(loans)

	pooled = pool_flows(flows)
	pooled[0] -= flows.cost.sum()
	found = yearly_return(flows)

	assert found.value == pytest.approx((1 + npf.irr(pooled)) ** 12 - 1, abs=1e-9)
	assert found.low < found.value < found.high


def flows_of(*, cost, instalment, last, months):
	return ImputedFlows(
		*(np.array(column, float) for column in (cost, instalment, [months] * len(cost), last)),
		npv=np.zeros(len(cost)),
		principal=np.array(cost, float),
	)


@pytest.mark.parametrize(
	("flows", "value", "low", "high"),
	[
		# One loan costs 120 and pays 36, then 72; the other costs 80 and pays 72, then 86.40. At 20% a
		# month they are worth 30 + 50 and 60 + 60: 40 less and 40 more than they cost. Together they pay
		# 108 and 158.40; as the rate rises by one, their worth falls by 108 / 1.2^2 + 2 x 158.40 / 1.2^3
		# = 258.33. So the standard error of the monthly rate is 40 x sqrt(2) / 258.33 = .21897; 1.96
		# times that is .42918.
		({"cost": [120, 80], "instalment": [36, 72], "last": [36, 14.4], "months": 2}, 1.2, 0.77082, 1.62918),
		# One pays 100 of 120 back, the other 120 of 100: 20 less and 20 more. 100 come after a month and
		# 120 after two: their worth falls by 100 + 2 x 120 = 340. 1.96 x 20 x sqrt(2) / 340 = .16305.
		({"cost": [120, 100], "instalment": [50, 50], "last": [0, 20], "months": 2}, 1, 0.83695, 1.16305),
		# Of five loans one returns 700 after a month and four nothing: 40% a month. Their worth falls by
		# 700 / 1.4^2 = 357.14, and their NPVs of 400 and -100 spread by 200: 1.96 x 200 x sqrt(5) /
		# 357.14 = 2.45, more than 100% and 40%. Nobody loses more than everything.
		({"cost": [100] * 5, "instalment": [700, 0, 0, 0, 0], "last": [0] * 5, "months": 1}, 1.4, 0, 3.8543),
	],
)
def test_the_interval_of_the_return_worked_by_hand(flows, value, low, high):
	found = yearly_return(flows_of(**flows))

	assert found.value == pytest.approx(value**12 - 1, abs=1e-10)
	assert found.low == pytest.approx(low**12 - 1, abs=1e-4)
	assert found.high == pytest.approx(high**12 - 1, rel=1e-3)


@pytest.mark.parametrize(
	("paid", "yearly"),
	[(49.8, np.nan), (50, 0.5**12 - 1), (60, 0.6**12 - 1), (190, 1.9**12 - 1), (200, 2.0**12 - 1), (200.5, np.nan)],
)
def test_a_return_lies_between_half_lost_and_doubled_in_a_month(paid, yearly):
	found = yearly_return(flows_of(cost=[100], instalment=[paid], last=[0], months=1))

	assert found.value == pytest.approx(yearly, nan_ok=True)


def test_nothing_has_no_return_and_total_loss_none_either():
	everything_lost = PLAIN.model_copy(update={"loss_given_default": 1.0, "default_at_share_of_term": 0.01})
	flows = impute(pd.DataFrame([loan(is_charged_off=1)]), everything_lost)

	assert flows.months.tolist() == [0]
	assert flows.npv.tolist() == [-1_010]
	assert np.isnan(yearly_return(flows).value)
	assert np.isnan(yearly_return(flows.take(np.zeros(1, dtype="bool"))).value)


def test_what_is_recovered_at_once_counts_from_the_start():
	at_once = PLAIN.model_copy(update={"default_at_share_of_term": 0.01, "loss_given_default": 0.0})
	flows = impute(pd.DataFrame([loan(is_charged_off=1), loan()]), at_once)

	assert pool_flows(flows)[0] == pytest.approx(1_000)
	assert flows.npv == pytest.approx([-10, 22.33], abs=0.02)


def test_a_mean_has_an_interval():
	found = estimate_mean(np.array([1.0, 2, 3, 4]))

	assert found.value == 2.5
	# 1.96 * 1.29099 / 2.
	assert (found.low, found.high) == pytest.approx((2.5 - 1.2652, 2.5 + 1.2652), abs=1e-4)
	assert np.isnan(estimate_mean(np.array([])).value)
	alone = estimate_mean(np.array([7.0]))
	assert alone.value == 7
	assert np.isnan([alone.low, alone.high]).all()


def test_every_loan_has_a_profit_in_every_scenario():
	loans = LOANS.assign(loan_id=["a", "b", "c"])

	profits = tabulate_profits(loans, ECONOMICS)

	of_scenarios = [f"npv_{name}_{life}" for name in ("mild", "mid", "hard") for life in ("contractual", "capped")]
	assert profits.columns.tolist() == ["loan_id", "principal", *of_scenarios]
	mid = impute(loans, ECONOMICS.main_scenario, PaidLife.CAPPED)
	assert profits["npv_mid_capped"].tolist() == mid.npv.tolist()
	assert profits["principal"].tolist() == [1_000.0] * 3
