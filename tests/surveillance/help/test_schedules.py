"""Each figure is worked month by month, without the formulas of annuities."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loantap.policy.offers.options import Affordability
from loantap.portfolio.amortisation import emi
from loantap.surveillance.help.schedules import (
    Owed,
    Schedule,
    cost_of_delay,
    extend,
    fewest_months,
    highest_instalment,
    step_up,
    value_contract,
)

CENT, ROUNDING = 0.01, 1e-6
balances, rates, terms = st.floats(100, 40_000), st.one_of(st.just(0.0), st.floats(0.01, 40)), st.integers(1, 120)


def owe(balance, rate_pct, instalment, months_left):
    return Owed(*(np.array([float(x)]) for x in (balance, rate_pct, instalment, months_left)))


def one(value):
    return np.array([float(value)])


def list_payments(schedule):
    first, step, later, months = (float(x[0]) for x in (schedule.first, schedule.step, schedule.later, schedule.months))
    return [first if month < step else later for month in range(int(months))]


def repay(balance, rate_pct, payments):
    """The balance after each month."""
    after = []
    for payment in payments:
        balance = balance * (1 + rate_pct / 1200) - payment
        after.append(balance)
    return after


def discount(payments, rate_pct, days=0):
    months_late = days * 12 / 365
    return sum(paid / (1 + rate_pct / 1200) ** (month + months_late) for month, paid in enumerate(payments, start=1))


@given(balance=balances, rate=rates, months=terms)
def test_the_fewest_months_are_those_that_the_instalment_was_made_for(balance, rate, months):
    """Exactly so, though the logarithm may end on either side."""
    instalment = emi(one(balance), rate, months)

    assert fewest_months(one(balance), one(rate), instalment) == months
    assert fewest_months(one(balance), one(rate), np.nextafter(instalment, 0)) == months + 1


@pytest.mark.parametrize(
    ("rate", "highest"),
    [(12, 100.0), (12, 99.0), (0, 0.0), (12, 0.0), (12, -5.0), (12, np.nan)],
    ids=["the interest", "less", "nothing", "nothing at a rate", "less than nothing", "unknown"],
)
def test_no_number_of_months_is_enough_where_the_interest_is_not_exceeded(rate, highest):
    assert np.isnan(fewest_months(one(10_000), one(rate), one(highest)))


@given(balance=balances, rate=rates, left=st.integers(0, 60), share=st.floats(0.01, 1.5))
def test_an_extension_repays_all_within_the_cap_and_one_month_fewer_would_not(balance, rate, left, share):
    highest = share * balance / 24
    plan = extend(owe(balance, rate, 0, left), one(highest))
    assume(plan.months <= 600)
    months = int(plan.months[0])

    assert repay(balance, rate, list_payments(plan))[-1] == pytest.approx(0, abs=CENT)
    assert plan.first[0] <= highest
    assert months >= left
    if months > max(left, 1):
        assert repay(balance, rate, [highest] * (months - 1))[-1] > -ROUNDING


@given(
    balance=balances, rate=rates, left=st.integers(0, 60), step=st.integers(1, 36), room=st.floats(0.001, 1),
    rise=st.floats(1, 3),
)  # fmt: skip
def test_a_step_up_repays_all_and_never_lets_the_balance_grow(balance, rate, left, step, room, rise):
    highest = balance * (rate / 1200 + room / 60)
    plan = step_up(owe(balance, rate, 0, left), one(highest), one(highest * rise), step)
    assume(plan.months <= 600)
    after = repay(balance, rate, list_payments(plan))

    assert after[-1] == pytest.approx(0, abs=CENT)
    assert np.diff([balance, *after]).max() <= CENT
    assert plan.first == highest
    assert plan.later <= highest * rise
    assert plan.months >= max(left, step + 1)
    rest = int(plan.months[0]) - step
    if rest > max(left - step, 1):
        assert repay(after[step - 1], rate, [highest * rise] * (rest - 1))[-1] > -ROUNDING


@pytest.mark.parametrize(("highest", "is_there"), [(250.0, True), (249.99, False), (1_000.0, False)],
                         ids=["the interest", "less", "repaid before the step"])  # fmt: skip
def test_a_step_up_covers_the_interest_and_leaves_something_for_the_step(highest, is_there):
    """24% a year on 12,500 is 250 a month."""
    plan = step_up(owe(12_500, 24, 0, 24), one(highest), one(2_000.0), 24)

    assert (plan.months > 0) == is_there


@given(balance=balances, rate=rates, funds=st.floats(0, 15), step=st.integers(1, 24), rest=terms)
def test_the_value_of_a_schedule_is_that_of_its_payments(balance, rate, funds, step, rest):
    schedule = Schedule(one(balance / 100), one(step), one(balance / 50), one(step + rest))

    assert schedule.value(funds)[0] == pytest.approx(discount(list_payments(schedule), funds))


# 1.01^24 = 1.269735: instalments of 400 owe 400 x (1 - 1/1.269735)/.01 = 8,497.36.
@pytest.mark.parametrize(
    ("balance", "left", "at_once", "instalment"),
    [(10_000, 24, 1_502.64, 400), (8_497.36, 24, 0, 400), (4_248.68, 24, 0, 200), (1_000, 0, 1_000, 0)],
    ids=["in arrears", "as agreed", "paid ahead", "after the last instalment"],
)
def test_the_contract_is_worth_its_arrears_and_its_instalments(balance, left, at_once, instalment):
    found = value_contract(owe(balance, 12, 400, left), 7)

    assert found[0] == pytest.approx(at_once + discount([instalment] * left, 7), abs=CENT)


def test_what_comes_later_is_worth_less_by_the_interest_of_those_days():
    payments = [400.0] * 24
    on_time, late = discount(payments, 7), discount(payments, 7, days=15)

    assert cost_of_delay(one(on_time), one(15), 7)[0] == pytest.approx(on_time - late)


@pytest.mark.parametrize(("other_dti", "highest"), [(20, 1_000), (23, 1_000), (38, 250), (43, 0), (50, -350)])
def test_the_nearer_cap_counts(other_dti, highest):
    """20% of 5,000 is 1,000; up to a DTI of 43% there are 43 less other debts."""
    limits = Affordability(max_instalment_share=0.2, max_dti_pct=43)

    assert highest_instalment(one(5_000), one(other_dti), limits) == pytest.approx(highest)
