"""Whom a policy would have approved, and how these loans turned out."""

import pandas as pd

from loantap.policy.decisions import Decided, Decider
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
    terms = loans.set_index("loan_id")[["loan_amount", "interest_rate_pct", "term_months"]]
    rows = predictions[["loan_id", "probability_of_default"]].join(terms, on="loan_id")
    columns = (rows[name].to_numpy(float) for name in ("probability_of_default", *terms.columns))
    return decider.decide_columns(*columns)


def _count(rows: pd.DataFrame) -> dict[str, float]:
    outcomes = rows.loc[rows["approves"], "is_charged_off"]
    loans, approved = len(rows), len(outcomes)
    return (
        {"n": loans, "approved": approved}
        | estimate_share(approved, loans).named("approval_rate")
        | estimate_share(int(outcomes.sum()), approved).named("default_rate_approved")
    )
