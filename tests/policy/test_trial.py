import pandas as pd
import pytest

from loantap.policy.decisions import Decider
from loantap.policy.money.cash_flows import PaidLife
from loantap.policy.money.returns import impute_flows
from loantap.policy.targets import try_policy
from loantap.portfolio.errors import InputError
from tests.policy.policies import ECONOMICS, make_policy, make_test_decider

# A loan that is surely approved, one above the highest amount, and two that are surely declined,
# the second of them paid back.
PDS = [0.01, 0.01, 0.9, 0.9]
LOANS = pd.DataFrame(
  {
    "loan_id": ["a", "b", "c", "d"],
    "loan_amount": [10_000.0, 40_000.0, 5_000.0, 8_000.0],
    "interest_rate_pct": [15.0, 15.0, 12.0, 12.0],
    "term_months": [36.0] * 4,
    "issue_month": pd.to_datetime(["2013-01-01"] * 4),
    "is_charged_off": [0, 0, 1, 0],
    "state": ["CA", "NY", "CA", "TX"],
  }
)
PREDICTIONS = pd.DataFrame({"loan_id": LOANS["loan_id"], "probability_of_default": PDS})


def try_shipped(loans=LOANS, predictions=PREDICTIONS):
  return try_policy(make_test_decider(), predictions, loans, ECONOMICS)


def test_shares_are_those_of_the_decisions():
  trial = try_shipped()

  assert trial.loans == 4
  assert trial.shares == {"approve": 0.25, "refer": 0.25, "decline": 0.5}


def test_the_gain_is_what_the_declined_loans_would_have_lost():
  decider = make_test_decider()
  earned = impute_flows(LOANS, decider.scenario, ECONOMICS, PaidLife.CONTRACTUAL).npv

  trial = try_policy(decider, PREDICTIONS, LOANS, ECONOMICS)

  # Declined are c and d; a and b count as approved, b although a person decides.
  assert trial.gain.value == pytest.approx(-(earned[2] + earned[3]) / 4)
  assert trial.gain.low < trial.gain.value < trial.gain.high


def test_loans_are_found_by_their_name_in_whatever_order():
  turned = LOANS.iloc[::-1].reset_index(drop=True)

  trial = try_shipped(turned)

  assert trial == try_shipped()


def test_targets_are_checked_on_the_same_loans():
  checks = {check.target: check for check in try_shipped().targets}

  assert checks["review_capacity"].reached == 0.25
  assert checks["min_approval_rate"].reached == 0.5
  assert checks["max_default_rate"].reached == 0


def test_a_policy_need_not_be_approved():
  draft = make_policy(min_margin=0.5).model_copy(update={"digest": "another"})
  decider = Decider(draft, draft.find_scenario(ECONOMICS))

  assert try_policy(decider, PREDICTIONS, LOANS, ECONOMICS).shares["decline"] == 1


def test_without_loans_nothing_is_said():
  with pytest.raises(InputError, match="no loans to try it on"):
    try_shipped(predictions=PREDICTIONS.head(0))
