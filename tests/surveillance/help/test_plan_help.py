"""Plans of borrowers whose figures can be worked by hand, under the rules as shipped."""

from itertools import count

import pandas as pd
import pytest

from loantap.policy.money.scenarios import Scenario
from loantap.portfolio.errors import InputError
from loantap.reporting.help_plan import word_plan
from loantap.reporting.watchlist_page import render_watchlist
from loantap.surveillance.help.options import HelpOptions
from loantap.surveillance.help.plan import plan_help
from loantap.surveillance.help.schemas import HELP_PLANS
from tests.surveillance.help.test_schedules import discount, repay
from tests.surveillance.watchlist.test_build_watchlist import LAST, ORIGINS, SHIPPED, list_them, months_of
from tests.surveillance.watchlist.test_build_watchlist import OPTIONS as LISTING

CAPS = {"max_instalment_share": 0.2, "max_dti_pct": 43}
RULES = HelpOptions.model_validate(SHIPPED["early_warning"]["help"] | {"limits": CAPS})
FUNDS = Scenario(cost_of_funds_pct=7, loss_given_default=0.7, default_at_share_of_term=0.4, origination_cost_share=0)
# 5,000 a month carries 1,000 by its share, and 300 at a DTI of 37% without this loan.
ENTRY = {
    "triggers": "pd_raised", "trend_dpd": "0 0 0 0 0 0", "days_past_due": 0.0, "outstanding_balance": 6_000.0,
    "pd_12m": 0.25, "expected_loss_avoidable": 9_000.0, "origin": "simulated", "events_origin": "simulated",
}  # fmt: skip
FIGURES = {
    "instalment": 300.0, "interest_rate_pct": 0.0, "remaining_months": 24.0, "annual_income": 60_000.0,
    "dti_pct": 20.0, "max_dpd_6m": 0.0,
}  # fmt: skip
LATE = {"triggers": "sma_0", "trend_dpd": "0 0 0 0 0 30", "days_past_due": 30.0, "max_dpd_6m": 30.0}
AGAIN = LATE | {"trend_dpd": "0 0 12 0 0 30"}
# At a cap of 250, 48 months repay 12,000; after 24 of them, 470.38 fits into an income 10.25% higher.
STRAINED = {"instalment": 500.0, "dti_pct": 38.0, "outstanding_balance": 12_000.0}
ABOVE = "(10.0% of income, cap 20%; DTI 48.0%, cap 43%)"
STEPS = "250 is within the caps, and so is 462 after 24 months if income grows by 5% a year."
NO_ROOM = "No feasible plan: other debts alone take {:.1f}% of income (cap on DTI 43%)."
AFFORDABLE = "the instalment is affordable (6.0% of income, cap 20%; DTI 26.0%, cap 43%)"


def owe(balance, months_left=24.0, **changes):
    return STRAINED | {"outstanding_balance": float(balance), "remaining_months": float(months_left)} | changes


def plan_them(*changes, options=RULES):
    """A plan for each dictionary of changes to a borrower who has no trouble but a raised PD."""
    ids = [f"loan {9 - place}" for place in range(len(changes))]
    entries, panel = [], []
    for name, change in zip(ids, changes, strict=True):
        entries.append({"loan_id": name, "as_of_month": LAST} | {k: change.get(k, v) for k, v in ENTRY.items()})
        now = {k: change.get(k, v) for k, v in FIGURES.items()}
        for months, figures in ((-1, FIGURES), (0, now), (1, FIGURES)):
            panel.append({"loan_id": name, "month": LAST + pd.DateOffset(months=months)} | figures)
    frames = [pd.DataFrame(rows).astype({"loan_id": "str"}) for rows in (entries, panel)]
    plans = HELP_PLANS.validate(plan_help(frames[0], frames[1], FUNDS, LISTING, options, 90))
    assert plans["loan_id"].tolist() == ids
    return plans


def plan_one(*changes, options=RULES):
    return plan_them({k: v for change in changes for k, v in change.items()}, options=options).iloc[0]


@pytest.mark.parametrize(
    ("changes", "action", "why"),
    [
        ({}, "counselling", f"Nothing is overdue now, and DTI, utilisation or PD is raised; {AFFORDABLE}."),
        (LATE, "reminder", f"30 days past due, and nothing else is raised; {AFFORDABLE}."),
        (LATE | {"days_past_due": 0.0}, "reminder", "Nothing is overdue now, and nothing else is raised"),
        (LATE | {"triggers": "sma_0, part_paid"}, "reminder", ""),
        (LATE | {"days_past_due": 31.0}, "counselling", "31 days past due"),
        (LATE | {"triggers": "sma_0, dti_rising"}, "counselling", ""),
        (LATE | {"days_past_due": 89.0}, "counselling", ""),
        (LATE | {"days_past_due": 90.0}, "none", "No feasible plan: in default, recoveries deal with it."),
        (STRAINED | {"days_past_due": 90.0}, "none", "in default"),
        (AGAIN, "due_date_shift", f"Late in 2 of the last 6 months, by at most 30 days; {AFFORDABLE}."),
        (AGAIN | {"max_dpd_6m": 31.0}, "reminder", ""),
        (AGAIN | {"trend_dpd": "30 0 0 nan 0 0 30"}, "reminder", ""),
        (AGAIN | {"triggers": "sma_0, pd_raised"}, "counselling", ""),
        (AGAIN | {"dti_pct": float("nan")}, "reminder", "DTI not known, so that no cap can be checked."),
        (LATE | {"annual_income": float("nan")}, "reminder", "; income not known, so that"),
        (LATE | {"annual_income": 0.0, "dti_pct": float("nan")}, "reminder", "; income and DTI not known"),
        ({"annual_income": 0.0} | STRAINED, "counselling", "; income not known"),
        ({"instalment": 1_000.0, "dti_pct": 23.0}, "counselling", "(20.0% of income, cap 20%; DTI 43.0%, cap 43%)"),
        ({"instalment": 1_000.01}, "term_extension", ""),
        ({"dti_pct": 37.0}, "counselling", ""),
        ({"dti_pct": 37.01}, "term_extension", ""),
        (STRAINED, "term_extension", f"above a cap {ABOVE}; over 48 months it is 5.0% of income; DTI 43.0%."),
        (owe(12_000.01), "step_up", f"a cap {ABOVE} and more months alone do not suffice; {STEPS}"),
        # The longest term sold is 60 months.
        (owe(15_000, 50), "term_extension", "over 60 months"),
        (owe(15_000.01, 50), "step_up", ""),
        # 250 for 24 months, then 470.375 for 24.
        (owe(17_288.99), "step_up", ""),
        (owe(17_289.01), "none", f"No feasible plan: the instalment is above a cap {ABOVE} and would stay so over 48"),
        (STRAINED | {"dti_pct": 43.0}, "none", NO_ROOM.format(43)),
        ({"expected_loss_avoidable": 25.0}, "counselling", ""),
        ({"expected_loss_avoidable": 24.9}, "none", "counselling would cost 25 and avoid an expected loss of 25."),
    ],
)  # fmt: skip
def test_the_lightest_action_that_is_enough(changes, action, why):
    plan = plan_one(changes)

    assert plan["action"] == action
    assert why in plan["why"]


def test_an_extension_capitalises_arrears_and_costs_what_those_who_pay_pay_less():
    """400 a month owe 8,497 of the 10,000; the rest is overdue. The cap is 325."""
    changes = {"outstanding_balance": 10_000.0, "instalment": 400.0, "interest_rate_pct": 12.0, "dti_pct": 36.5}
    plan = plan_one(changes)
    months = next(n for n in count(1) if repay(10_000, 12, [325] * n)[-1] <= 0)
    arrears = 10_000 - discount([400] * 24, 12)
    less = arrears + discount([400] * 24, 7) - discount([plan["emi_new"]] * months, 7)

    assert (plan["months_left"], plan["months_left_new"]) == (24, months)
    assert repay(10_000, 12, [plan["emi_new"]] * months)[-1] == pytest.approx(0, abs=0.01)
    assert (plan["dti_now"], plan["dti_new"]) == pytest.approx((44.5, 36.5 + plan["emi_new"] / 50))
    assert plan["cost"] == pytest.approx(0.75 * less + 60)
    assert (plan["loss_avoided"], plan["net_benefit"]) == (9_000, pytest.approx(9_000 - plan["cost"]))
    assert plan[["emi_later", "step_months"]].isna().all()
    assert plan["shift_days"] == 0


def test_who_paid_ahead_and_is_strained_pays_the_lower_balance_over_the_same_months():
    changes = {"outstanding_balance": 6_000.0, "instalment": 400.0, "dti_pct": 38.0}
    plan = plan_one(changes)

    assert (plan["action"], plan["months_left_new"], plan["emi_new"]) == ("term_extension", 24, 250)
    assert plan["cost"] == pytest.approx(60)


def test_a_step_up_has_both_instalments_and_the_month_between_them():
    plan = plan_one(owe(12_000.01))
    less = 12_000.01 - 24 * 500 + discount([500] * 24, 7) - discount([250] * 24 + [plan["emi_later"]] * 13, 7)

    assert tuple(plan[["emi_now", "emi_new", "step_months", "months_left_new"]]) == (500, 250, 24, 37)
    assert plan["emi_later"] == pytest.approx(6_000.01 / 13)
    assert plan["dti_new"] == pytest.approx(43)
    assert plan["cost"] == pytest.approx(0.75 * less + 60)


@pytest.mark.parametrize(("late", "days"), [(12.0, 12), (30.0, 15)])
def test_a_due_date_moves_by_the_days_that_the_borrower_is_late_at_most_fifteen(late, days):
    plan = plan_one(AGAIN | {"max_dpd_6m": late, "outstanding_balance": 7_200.0})
    payments = [300.0] * 24

    assert (plan["shift_days"], plan["months_left_new"]) == (days, 24)
    assert plan["cost"] == pytest.approx(0.75 * (discount(payments, 7) - discount(payments, 7, days)) + 10)
    assert plan[["emi_new", "dti_new"]].isna().all()


def test_where_there_is_no_plan_there_are_no_terms_and_no_money():
    """At a balance of 8,400 a longer term makes 1,200 overdue now come later."""
    dear = owe(8_400, instalment=300.0, expected_loss_avoidable=59.0)
    plans = plan_them(dear, dear | {"expected_loss_avoidable": 900.0}, AGAIN | {"expected_loss_avoidable": 9.0})
    none = plans.drop(index=1)

    assert plans["action"].tolist() == ["none", "term_extension", "none"]
    assert none[["emi_new", "emi_later", "step_months", "dti_new"]].isna().all(axis=None)
    assert (none[["cost", "loss_avoided", "net_benefit", "shift_days"]] == 0).all(axis=None)
    assert (none["months_left_new"] == none["months_left"]).all()
    assert none["why"].str.contains("would cost").all()


@pytest.mark.parametrize(("includes", "dti_now"), [(False, 43.2), (True, 37.2)])
def test_the_dti_of_a_month_counts_this_instalment_once(includes, dti_now):
    options = RULES.model_copy(update={"dti_includes_instalment": includes})

    plan = plan_one({"dti_pct": 37.2}, options=options)
    assert plan["dti_now"] == pytest.approx(dti_now)
    assert plan["action"] == ("counselling" if includes else "term_extension")


def test_a_list_made_with_other_triggers_is_refused():
    with pytest.raises(InputError, match="table watchlist: triggers: 'gone' is not one of"):
        plan_one({"triggers": "sma_0, gone"})


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (LATE, "Remind; costs 1, avoids 9,000"),
        ({}, "Counsel; costs 25, avoids 9,000"),
        (AGAIN | {"max_dpd_6m": 1.0}, "Move the due date by 1 day; costs 11, avoids 9,000"),
        (owe(6_250, instalment=260.0), "Extend by 1 month: EMI 260 to 250; costs 73, avoids 9,000"),
        (owe(6_000), "Spread what is owed anew: EMI 500 to 250; costs 60, avoids 9,000"),
        (owe(12_000.01), "Step up, 13 months longer: EMI 500 to 250, 462 after 24 months; costs 489, avoids 9,000"),
        (owe(15_000.01, 50), "Step up: EMI 500 to 250, 346 after 24 months; costs 173, avoids 9,000"),
        (STRAINED | {"dti_pct": 50.0}, NO_ROOM.format(50)),
    ],
)  # fmt: skip
def test_a_plan_is_told_in_one_line(changes, line):
    assert word_plan(plan_one(changes).to_dict()) == line


def test_a_plan_that_earns_interest_for_longer_gains():
    plan = plan_one(owe(9_000, interest_rate_pct=12.0, pd_12m=0.1))

    assert plan["cost"] < 0
    assert f"; gains {-plan['cost']:,.0f}, avoids" in word_plan(plan.to_dict())


def test_the_page_shows_each_entry_with_reason_plan_and_trend_and_says_what_is_simulated():
    found = list_them(months_of("a", days_past_due=[30.0, 60.0]), months_of("b", dti_change_3m=[6.0]))
    plans = plan_them(AGAIN, {}).assign(loan_id=found.entries["loan_id"])
    html = render_watchlist(found.entries, plans, found.account, ORIGINS, "an assumption")

    told = [*found.entries["reason"].str.rstrip("."), "Move the due date by 15 days", "Counsel; costs 25"]
    places = [html.index(told[place]) for place in (0, 2, 1, 3)]
    assert places == sorted(places)
    assert html.count("<polyline") >= 2
    assert "SIMULATED" in html.upper()
    assert "an assumption" in html


def test_an_empty_list_is_a_page_without_plans():
    found = list_them(months_of("a"), months_of("b"))
    plans = plan_help(found.entries, months_of("a"), FUNDS, LISTING, RULES, 90)

    assert HELP_PLANS.validate(plans).empty
    assert "SIMULATED DATA" in render_watchlist(found.entries, plans, found.account, ORIGINS, "an assumption")
