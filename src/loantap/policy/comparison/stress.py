"""What decisions made at the costs of the main scenario earn at other costs."""

from collections.abc import Sequence

import pandas as pd

from loantap.model.training.predictions import CROSS_VALIDATION
from loantap.policy.money.returns import estimate_mean
from loantap.policy.money.scenarios import PaidLife


def stress_policy(
  approvals: pd.DataFrame, profits: pd.DataFrame, policy: str, scenarios: Sequence[str]
) -> pd.DataFrame:
  """Profit per application, in currency, of one policy decided in the main scenario: one row per scenario.

  On the loans of the cross-validation, paid loans running for their contract.
  """
  judged = approvals[approvals["sample"].eq(CROSS_VALIDATION)]
  approved = judged[policy].to_numpy(bool)
  earned = profits.set_index("loan_id").loc[judged["loan_id"]]
  rows = []
  for scenario in scenarios:
    npv = earned[f"npv_{scenario}_{PaidLife.CONTRACTUAL.value}"].to_numpy(float)
    rows.append({"scenario": scenario, **estimate_mean(npv * approved).named("profit")})
  return pd.DataFrame(rows)
