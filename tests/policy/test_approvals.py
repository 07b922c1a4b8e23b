import numpy as np
import pandas as pd
import pytest

from loantap.measures.intervals import wilson_bounds
from loantap.policy.approvals import decide_loans, tabulate_approvals
from tests.policy.policies import make_test_decider

PREDICTIONS = pd.DataFrame(
  {
    "sample": ["test"] * 4 + ["cv"] * 2,
    "probability_of_default": [0.1, 0.2, 0.25, 0.3, 0.5, 0.6],
    "is_charged_off": [0, 1, 0, 1, 1, 0],
  }
)
APPROVED = PREDICTIONS["probability_of_default"].lt(0.3).to_numpy()

PROFIT = np.array([10.0, -20, 30, 500, 500, 500])


@pytest.fixture(scope="module")
def approvals():
  return tabulate_approvals(PREDICTIONS, APPROVED, PROFIT).set_index("sample")


def test_each_sample_counts_its_own_loans_in_the_order_given(approvals):
  assert approvals["n"].to_dict() == {"test": 4, "cv": 2}
  assert list(approvals.index) == ["test", "cv"]
  assert approvals.loc["test", ["approved", "approval_rate"]].tolist() == [3, 0.75]
  bounds = tuple(approvals.loc["test", ["approval_rate_low", "approval_rate_high"]])
  assert bounds == pytest.approx(tuple(map(float, wilson_bounds(3, 4))))


def test_the_default_rate_is_that_of_the_approved_alone(approvals):
  row = approvals.loc["test"]

  assert row["default_rate_approved"] == pytest.approx(1 / 3)
  assert tuple(row[["default_rate_approved_low", "default_rate_approved_high"]]) == (
    pytest.approx(tuple(float(bound) for bound in wilson_bounds(1, 3)))
  )


def test_what_is_declined_earns_nothing_per_application(approvals):
  assert approvals["profit"].to_dict() == {"test": 5, "cv": 0}
  row = approvals.loc["test"]
  assert row["profit_high"] - row["profit"] == pytest.approx(1.96 * np.std([10, -20, 30, 0], ddof=1) / 2, rel=1e-4)


def test_where_nobody_is_approved_there_is_no_default_rate(approvals):
  assert approvals.loc["cv", "approval_rate"] == 0
  assert approvals.filter(like="default").loc["cv"].isna().all()


def test_a_loan_is_decided_at_the_pd_of_each_sample_and_its_own_terms():
  predictions = pd.DataFrame({"loan_id": ["b", "a", "a"], "probability_of_default": [0.2, 0.2, 0.05]})
  loans = pd.DataFrame(
    {
      "loan_id": ["a", "b"],
      "loan_amount": [10_000.0, 10_000],
      "interest_rate_pct": [12.0, 24],
      "term_months": [36.0, 36],
    }
  )

  decided = decide_loans(predictions, loans, make_test_decider())

  assert decided.approves.tolist() == [True, False, True]
