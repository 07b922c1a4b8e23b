from itertools import count

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loantap.policy.money.cash_flows import Scenario
from loantap.portfolio.amortisation import emi
from loantap.reporting.formatting import word_plan
from loantap.reporting.watchlist_page import render_watchlist
from loantap.surveillance.help.plan import Owed, extend, fewest_months, plan_help, step_up
from loantap.surveillance.options import HelpOptions
from loantap.surveillance.schemas import HELP_PLANS
from tests.surveillance.watchlist.test_build_watchlist import LAST, ORIGINS, SHIPPED, list_them, months_of
from tests.surveillance.watchlist.test_build_watchlist import OPTIONS as LISTING

CAPS = {"max_instalment_share": 0.2, "max_dti_pct": 43}
RULES = HelpOptions.model_validate(SHIPPED["early_warning"]["help"] | {"limits": CAPS})
FUNDS = Scenario(cost_of_funds_pct=7, loss_given_default=0.7, default_at_share_of_term=0.4, origination_cost_share=0)
# 5,000 a month carries 1,000 by its share, and 300 at a DTI of 37% without this loan.
ENTRY = {
	"triggers": "pd_raised",
	"trend_dpd": "0 0 0 0 0 0",
	"days_past_due": 0.0,
	"outstanding_balance": 6_000.0,
	"pd_12m": 0.25,
	"expected_loss_avoidable": 9_000.0,
}
FIGURES = {
	"instalment": 300.0,
	"interest_rate_pct": 0.0,
	"remaining_months": 24.0,
	"annual_income": 60_000.0,
	"dti_pct": 20.0,
	"max_dpd_6m": 0.0,
}
LATE = {"triggers": "sma_0", "trend_dpd": "0 0 0 0 0 30", "days_past_due": 30.0, "max_dpd_6m": 30.0}
AGAIN = LATE | {"trend_dpd": "0 0 12 0 0 30"}
BURDEN = "EMI {:.1f}% of income (cap 20%), DTI {:.1f}% (cap 43%)"
CENT, ROUNDING = 0.01, 1e-6
balances, rates, left_over = st.floats(100, 40_000), st.one_of(st.just(0.0), st.floats(0.01, 40)), st.integers(0, 60)


def owe(balance=12_000, left=24, **changes):
	"""250 are at the cap, and 470.375 after 24 months; 60 months are the longest term sold."""
	owed = {"outstanding_balance": float(balance), "remaining_months": float(left)}
	return {"instalment": 500.0, "dti_pct": 38.0} | owed | changes


def plan_them(*changes, options=RULES):
	entries, panel, ids = [], [], [f"loan {9 - place}" for place in range(len(changes))]
	for name, change in zip(ids, changes, strict=True):
		entries.append({"loan_id": name, "as_of_month": LAST} | {k: change.get(k, v) for k, v in ENTRY.items()})
		now = {k: change.get(k, v) for k, v in FIGURES.items()}
		for months, figures in ((-1, FIGURES), (0, now), (1, FIGURES)):
			panel.append({"loan_id": name, "month": LAST + pd.DateOffset(months=months)} | figures)
	entries, panel = (pd.DataFrame(rows).astype({"loan_id": "str"}) for rows in (entries, panel))
	entries = entries.assign(origin="simulated", events_origin="simulated")
	plans = HELP_PLANS.validate(plan_help(entries, panel, FUNDS, LISTING, options, 90))
	assert plans["loan_id"].tolist() == ids
	return plans


def plan_one(changes, options=RULES):
	return plan_them(changes, options=options).iloc[0]


@pytest.mark.parametrize(
	("changes", "action", "why"),
	[
		({}, "counselling", f"Nothing is overdue now, listed for DTI, utilisation or PD; {BURDEN.format(6, 26)}."),
		(LATE, "reminder", "30 days past due, listed for arrears alone; "),
		(LATE | {"triggers": "sma_0, part_paid"}, "reminder", ""),
		(LATE | {"days_past_due": 31.0}, "counselling", "31 days"),
		(LATE | {"days_past_due": 89.0, "remaining_months": 0.0}, "counselling", ""),
		(owe(days_past_due=90.0), "none", ""),
		(AGAIN, "due_date_shift", "Late in 2 of the last 6 months, by at most 30 days; "),
		(AGAIN | {"max_dpd_6m": 31.0}, "reminder", ""),
		(AGAIN | {"trend_dpd": "30 0 0 nan 0 0 30"}, "reminder", ""),
		(AGAIN | {"triggers": "sma_0, pd_raised"}, "counselling", ""),
		(AGAIN | {"dti_pct": float("nan")}, "reminder", "; income or DTI is not known, so that no cap can be checked."),
		(owe(annual_income=0.0), "counselling", "; income or DTI is not known"),
		({"instalment": 1_000.0, "dti_pct": 23.0}, "counselling", ""),
		({"instalment": 1_000.01}, "term_extension", ""),
		({"dti_pct": 37.01}, "term_extension", ""),
		(owe(), "term_extension", f"{BURDEN.format(10, 48)}; over 48 months 5.0% of income, DTI 43.0%."),
		(owe(12_000.01), "step_up", "; 250 is within the caps, and so is 462 after 24 months if income grows by 5%"),
		(owe(15_000, 50), "term_extension", ""),
		(owe(15_000.01, 50), "step_up", ""),
		(owe(17_288.99), "step_up", ""),
		(owe(17_289.01), "none", f"{BURDEN.format(10, 48)}; neither an extension nor a step-up"),
		(owe(dti_pct=50.0), "none", ""),
		({"expected_loss_avoidable": 25.0}, "counselling", ""),
		({"expected_loss_avoidable": 24.9}, "none", "counselling would cost 25 and avoid 25."),
	],
)
def test_the_lightest_action_that_is_enough(changes, action, why):
	plan = plan_one(changes)

	assert plan["action"] == action
	assert why in plan["why"]


def test_an_extension_capitalises_arrears_and_costs_what_those_who_pay_pay_less():
	"""400 a month owe 8,497 of the 10,000; the rest is overdue. The cap is 325."""
	plan = plan_one(owe(10_000, instalment=400.0, interest_rate_pct=12.0, dti_pct=36.5))
	months = next(n for n in count(1) if repay(10_000, 12, [325] * n)[-1] <= 0)
	arrears = 10_000 - discount([400] * 24, 12)
	less = arrears + discount([400] * 24, 7) - discount([plan["emi_new"]] * months, 7)

	assert (plan["months_left"], plan["months_left_new"], plan["shift_days"]) == (24, months, 0)
	assert repay(10_000, 12, [plan["emi_new"]] * months)[-1] == pytest.approx(0, abs=0.01)
	assert (plan["dti_now"], plan["dti_new"]) == pytest.approx((44.5, 36.5 + plan["emi_new"] / 50))
	assert plan["cost"] == pytest.approx(0.75 * less + 60)
	assert plan["net_benefit"] == plan["loss_avoided"] - plan["cost"] == 9_000 - plan["cost"]
	assert plan[["emi_later", "step_months"]].isna().all()


def test_a_step_up_has_both_instalments_and_the_month_between_them():
	plan = plan_one(owe(12_000.01))
	less = 0.01 + discount([500] * 24, 7) - discount([250] * 24 + [6_000.01 / 13] * 13, 7)

	terms = plan[["emi_now", "emi_new", "emi_later", "step_months", "months_left_new", "dti_new"]]
	assert terms.tolist() == pytest.approx([500, 250, 6_000.01 / 13, 24, 37, 43])
	assert plan["cost"] == pytest.approx(0.75 * less + 60)


@pytest.mark.parametrize(("late", "days"), [(12.0, 12), (30.0, 15)])
def test_a_due_date_moves_by_the_days_that_the_borrower_is_late_at_most_fifteen(late, days):
	plan = plan_one(AGAIN | {"max_dpd_6m": late, "outstanding_balance": 7_200.0})

	assert (plan["shift_days"], plan["months_left_new"]) == (days, 24)
	assert plan["cost"] == pytest.approx(0.75 * (discount([300] * 24, 7) - discount([300] * 24, 7, days)) + 10)
	assert plan[["emi_new", "dti_new"]].isna().all()


def test_where_there_is_no_plan_there_are_no_terms_and_no_money():
	dear = owe(8_400, instalment=300.0, expected_loss_avoidable=59.0)
	plans = plan_them(dear, AGAIN | {"expected_loss_avoidable": 9.0})

	assert (plans["action"] == "none").all()
	assert plans[["emi_new", "emi_later", "step_months", "dti_new"]].isna().all(axis=None)
	assert (plans[["cost", "loss_avoided", "net_benefit", "shift_days"]] == 0).all(axis=None)
	assert (plans["months_left_new"] == plans["months_left"]).all()


@pytest.mark.parametrize(("includes", "dti_now"), [(False, 43.2), (True, 37.2)])
def test_the_dti_of_a_month_counts_this_instalment_once(includes, dti_now):
	plan = plan_one({"dti_pct": 37.2}, RULES.model_copy(update={"dti_includes_instalment": includes}))

	assert plan["dti_now"] == pytest.approx(dti_now)
	assert plan["action"] == ("counselling" if includes else "term_extension")


@pytest.mark.parametrize(
	("changes", "line"),
	[
		({}, "Counsel; costs 25, avoids 9,000"),
		(AGAIN | {"max_dpd_6m": 1.0}, "Move the due date by 1 day; costs 11, avoids 9,000"),
		# Who paid ahead owes the lower balance over the same months.
		(owe(6_000), "Re-spread the rest: EMI 500 to 250; costs 60, avoids 9,000"),
		(owe(9_000, interest_rate_pct=12.0), "Extend by 21 months: EMI 500 to 249; gains 226, avoids 9,000"),
		(owe(12_000.01), "Step up, extend by 13 months: EMI 500 to 250, 462 after 24 months; costs 489, avoids 9,000"),
		(owe(days_past_due=90.0), "No feasible plan: in default, recoveries deal with it."),
	],
)
def test_a_plan_is_told_in_one_line(changes, line):
	assert word_plan(plan_one(changes)) == line


def test_the_page_shows_each_entry_with_reason_plan_and_trend_and_says_what_is_simulated():
	found = list_them(months_of("a", days_past_due=[30.0, 60.0]), months_of("b", dti_change_3m=[6.0]))
	html = render_watchlist(found.entries, plan_them(AGAIN, {}), found.account, ORIGINS, "an assumption")

	told = [*found.entries["reason"].str.rstrip("."), "Move the due date by 15 days", "Counsel; costs 25"]
	places = [html.index(told[place]) for place in (0, 2, 1, 3)]
	assert places == sorted(places)
	assert html.count("<polyline") >= 2
	assert "SIMULATED DATA" in html
	assert "an assumption" in html


def test_an_empty_list_is_a_page_without_plans():
	found = list_them(months_of("a"), months_of("b"))
	plans = plan_help(found.entries, months_of("a"), FUNDS, LISTING, RULES, 90)

	assert HELP_PLANS.validate(plans).empty
	assert "SIMULATED DATA" in render_watchlist(found.entries, plans, found.account, ORIGINS, "an assumption")


def owing(*values):
	return Owed(*(np.array([float(x)]) for x in values))


def list_payments(schedule):
	first, step, later, months = (float(getattr(schedule, name)[0]) for name in schedule.__slots__)
	return [first if month < step else later for month in range(int(months))]


def repay(balance, rate_pct, payments):
	"""The balance after each month."""
	after = []
	for payment in payments:
		balance = balance * (1 + rate_pct / 1200) - payment
		after.append(balance)
	return after


def discount(payments, rate_pct, days=0):
	delay = days * 12 / 365
	return sum(paid / (1 + rate_pct / 1200) ** (month + delay) for month, paid in enumerate(payments, start=1))


@given(balance=balances, rate=rates, months=st.integers(1, 120))
def test_the_fewest_months_are_those_that_the_instalment_was_made_for(balance, rate, months):
	"""Exactly so, though the logarithm may end on either side."""
	instalment = emi([balance], rate, months)

	assert fewest_months(np.array([balance]), rate, instalment) == months
	assert fewest_months(np.array([balance]), rate, np.nextafter(instalment, 0)) == months + 1


@given(balance=balances, rate=rates, left=left_over, share=st.floats(0.01, 1.5))
def test_an_extension_repays_all_within_the_cap_and_one_month_fewer_would_not(balance, rate, left, share):
	highest = share * balance / 24
	plan = extend(owing(balance, rate, 0, left), np.array([highest]))
	assume(plan.months <= 600)
	months = int(plan.months[0])

	assert repay(balance, rate, list_payments(plan))[-1] == pytest.approx(0, abs=CENT)
	assert plan.later <= highest
	assert months >= left
	if months > max(left, 1):
		assert repay(balance, rate, [highest] * (months - 1))[-1] > -ROUNDING


@given(
	balance=balances, rate=rates, left=left_over, step=st.integers(1, 36), room=st.floats(0.001, 1), rise=st.floats(1, 3)
)
def test_a_step_up_repays_all_and_never_lets_the_balance_grow(balance, rate, left, step, room, rise):
	highest = balance * (rate / 1200 + room / 60)
	plan = step_up(owing(balance, rate, 0, left), np.array([highest]), np.array([highest * rise]), step)
	assume(plan.months <= 600)
	after, rest = repay(balance, rate, list_payments(plan)), int(plan.months[0]) - step

	assert after[-1] == pytest.approx(0, abs=CENT)
	assert np.diff([balance, *after]).max() <= CENT
	assert plan.first == highest
	assert plan.later <= highest * rise
	assert rest >= max(left - step, 1)
	if rest > max(left - step, 1):
		assert repay(after[step - 1], rate, [highest * rise] * (rest - 1))[-1] > -ROUNDING


@pytest.mark.parametrize(("highest", "is_there"), [(250.0, True), (249.99, False), (1_000.0, False)])
def test_a_step_up_covers_the_interest_and_leaves_something_for_the_step(highest, is_there):
	"""24% a year on 12,500 is 250 a month; 1,000 a month repay it before the step."""
	plan = step_up(owing(12_500, 24, 0, 24), np.array([highest]), np.array([2_000.0]), 24)

	assert (plan.months > 0) == is_there
