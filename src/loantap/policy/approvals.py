"""Whom a policy would have approved, and how these loans turned out."""

import numpy as np
import pandas as pd

from loantap.policy.decisions import Decided, Decider
from loantap.policy.money.cash_flows import VALUED_BY
from loantap.policy.money.imputed import impute_flows
from loantap.policy.money.returns import estimate_mean, estimate_share
from loantap.policy.money.scenarios import Economics, PaidLife, Scenario
from loantap.portfolio.arrays import BoolArray, FloatArray


def tabulate_approvals(predictions: pd.DataFrame, approved: BoolArray, profit: FloatArray) -> pd.DataFrame:
  """Approval rate of each sample of predictions, default rate of what is approved, and what it earned.

  One row per sample; rates with `_low` and `_high` (95% Wilson), the default rate missing where nobody is approved;
  `profit` per application in currency, with bounds (95% normal), of `profit` of each loan if approved.
  """
  judged = predictions.assign(approves=approved, earned=np.where(approved, profit, 0.0))
  samples = judged.groupby("sample", sort=False, observed=True)
  return pd.DataFrame([{"sample": sample, **_count(rows)} for sample, rows in samples])


def impute_profit(
  predictions: pd.DataFrame, loans: pd.DataFrame, scenario: Scenario, economics: Economics
) -> FloatArray:
  """Imputed NPV of the loan of each row, over the contractual life, in currency."""
  known = loans.set_index("loan_id").loc[predictions["loan_id"]]
  return impute_flows(known, scenario, economics, PaidLife.CONTRACTUAL).npv


def decide_loans(predictions: pd.DataFrame, loans: pd.DataFrame, decider: Decider) -> Decided:
  """What a policy decides on each row of predictions, whether or not it is unlike the training."""
  terms = loans.set_index("loan_id")[list(VALUED_BY[1:])]
  rows = predictions[["loan_id", VALUED_BY[0]]].join(terms, on="loan_id")
  return decider.decide_columns(*(rows[name].to_numpy(float) for name in VALUED_BY))


def _count(rows: pd.DataFrame) -> dict[str, float]:
  outcomes = rows.loc[rows["approves"], "is_charged_off"]
  loans, approved = len(rows), len(outcomes)
  return (
    {"n": loans, "approved": approved}
    | estimate_share(approved, loans).named("approval_rate")
    | estimate_share(int(outcomes.sum()), approved).named("default_rate_approved")
    | estimate_mean(rows["earned"].to_numpy()).named("profit")
  )
