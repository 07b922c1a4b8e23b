import pandas as pd
import pytest

from loantap.features.outcomes import NOT_LATE, NOT_PAID, NOT_RUNNING, find_outcomes
from loantap.surveillance.schemas import LOAN_OUTCOMES
from tests.surveillance.months import make_loans, make_months

OWED, NOTHING = 500.0, 0.0


def find(status, balances, days, first="2016-02", term=36.0):
  loans = make_loans("a", loan_status=status, term_months=term).assign(
    issue_month=pd.Timestamp("2016-01-01").as_unit("s")
  )
  months = make_months("a", first, outstanding_balance=balances, days_past_due=days)
  is_running = loans["loan_status"].eq("Current")
  outcomes = find_outcomes(months.sample(frac=1, random_state=1), loans[~is_running], loans[is_running])
  return LOAN_OUTCOMES.validate(outcomes).iloc[0]


def tell(outcome):
  names = ("default_month", "paid_month", "prepaid_month", "last_month")
  return [None if pd.isna(outcome[n]) else f"{outcome[n]:%Y-%m}" for n in names]


@pytest.mark.parametrize(
  ("status", "balances", "days", "expected"),
  [
    pytest.param("Charged Off", [OWED] * 4, [30.0, 60, 90, 120], ["2016-04", None, None, "2016-05"], id="ninety days"),
    pytest.param("Charged Off", [OWED] * 3, [0.0, 30, 89], ["2016-04", None, None, "2016-04"], id="charged off early"),
    pytest.param(
      "Charged Off",
      [OWED, OWED, NOTHING],
      [30.0, 60, 60],
      ["2016-03", None, None, "2016-04"],
      id="written off is no payment",
    ),
    pytest.param("Fully Paid", [OWED, NOTHING], [0.0, 0], [None, "2016-03", "2016-03", "2016-03"], id="prepaid"),
    pytest.param(
      "Fully Paid",
      [OWED, NOTHING, OWED, NOTHING],
      [0.0] * 4,
      [None, "2016-05", "2016-05", "2016-05"],
      id="a zero that rises again",
    ),
    pytest.param(
      "Fully Paid",
      [OWED, OWED, NOTHING, NOTHING],
      [90.0, 0, 0, 0],
      ["2016-02", None, None, "2016-05"],
      id="cured after ninety days",
    ),
    pytest.param("Current", [OWED] * 3, [0.0] * 3, [None, None, None, "2016-04"], id="censored"),
  ],
)
def test_the_first_event_of_the_months_counts(status, balances, days, expected):
  outcome = find(status, balances, days)
  assert tell(outcome) == expected
  assert pd.isna(outcome["contradiction"])


@pytest.mark.parametrize(("term", "prepaid"), [(2.0, None), (3.0, "2016-03")])
def test_a_loan_is_prepaid_only_before_its_last_instalment_is_due(term, prepaid):
  assert tell(find("Fully Paid", [OWED, NOTHING], [0.0, 0], term=term))[1:3] == ["2016-03", prepaid]


@pytest.mark.parametrize(
  ("status", "balances", "contradiction", "expected"),
  [
    ("Fully Paid", [OWED, OWED], NOT_PAID, [None, None, None, "2016-03"]),
    ("Charged Off", [OWED, OWED], NOT_LATE, ["2016-03", None, None, "2016-03"]),
    ("Current", [OWED, NOTHING], NOT_RUNNING, [None, "2016-03", "2016-03", "2016-03"]),
  ],
)
def test_a_status_that_the_months_contradict_is_told(caplog, status, balances, contradiction, expected):
  outcome = find(status, balances, [0.0] * 2)
  assert (outcome["contradiction"], tell(outcome)) == (contradiction, expected)
  assert contradiction in caplog.text


def test_a_loan_that_starts_late_is_followed_from_its_first_month():
  late = find("Current", [OWED] * 3, [0.0, 60, 90], first="2017-06")
  assert tell(late) == ["2017-08", None, None, "2017-08"]
