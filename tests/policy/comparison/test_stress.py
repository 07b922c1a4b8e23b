import pandas as pd
import pytest

from loantap.policy.comparison.measures import stress_policy


def test_what_was_approved_once_earns_what_each_scenario_pays():
  approvals = pd.DataFrame(
    {"loan_id": ["c", "a", "b", "a"], "sample": ["cv", "cv", "cv", "out_of_time"], "npv": [False, True, True, False]}
  )
  profits = pd.DataFrame(
    {
      "loan_id": ["a", "b", "c"],
      "npv_mid_contractual": [30.0, 60, -90],
      "npv_hard_contractual": [-30.0, 0, -900],
      "npv_hard_capped": [7.0, 7, 7],
    }
  )

  stressed = stress_policy(approvals, profits, "npv", ["mid", "hard"]).set_index("scenario")

  # c is declined; three applications.
  assert stressed["profit"].to_dict() == pytest.approx({"mid": 30, "hard": -10})
  assert stressed.loc["hard", "profit_low"] < -10 < stressed.loc["hard", "profit_high"]
