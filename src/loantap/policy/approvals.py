"""Whom a policy would have approved, and how these loans turned out."""

import pandas as pd

from loantap.policy.decisions import Decided, Decider
from loantap.policy.money.cash_flows import VALUED_BY
from loantap.policy.money.returns import estimate_share
from loantap.portfolio.arrays import BoolArray


def tabulate_approvals(predictions: pd.DataFrame, approved: BoolArray) -> pd.DataFrame:
  """Approval rate of each sample of predictions, and default rate of what is approved.

  One row per sample; rates with `_low` and `_high` (95% Wilson), the default rate missing where nobody is approved.
  """
  samples = predictions.assign(approves=approved).groupby("sample", sort=False, observed=True)
  return pd.DataFrame([{"sample": sample, **_count(rows)} for sample, rows in samples])


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
  )
