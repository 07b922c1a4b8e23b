"""Each figure is worked month by month, without the formulas of annuities."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loantap.portfolio.amortisation import emi
from loantap.surveillance.help.schedules import Owed, extend, fewest_months, step_up

CENT, ROUNDING = 0.01, 1e-6
balances, rates, left_over = st.floats(100, 40_000), st.one_of(st.just(0.0), st.floats(0.01, 40)), st.integers(0, 60)


def owe(*values):
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
  plan = extend(owe(balance, rate, 0, left), np.array([highest]))
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
  plan = step_up(owe(balance, rate, 0, left), np.array([highest]), np.array([highest * rise]), step)
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
  plan = step_up(owe(12_500, 24, 0, 24), np.array([highest]), np.array([2_000.0]), 24)

  assert (plan.months > 0) == is_there
