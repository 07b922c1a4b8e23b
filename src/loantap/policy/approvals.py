"""Whom a policy would have approved, and how these loans turned out."""

from typing import Any

import pandas as pd

from loantap.measures.intervals import measure_default_rate, wilson_bounds
from loantap.policy.decisions import Decided, Decider
from loantap.portfolio.arrays import BoolArray


def tabulate_approvals(predictions: pd.DataFrame, approved: BoolArray) -> pd.DataFrame:
    """Approval rate of each sample of predictions, and default rate of what is approved.

    One row per sample; rates with `_low` and `_high` (95% Wilson), the default rate missing where
    nobody is approved.
    """
    samples = predictions.assign(approves=approved).groupby("sample", sort=False, observed=True)
    return pd.DataFrame([{"sample": sample, **_count(rows)} for sample, rows in samples])


def decide_loans(predictions: pd.DataFrame, loans: pd.DataFrame, decider: Decider) -> Decided:
    """What a policy decides on each row of predictions, at the PD that a model gave the loan.

    Whether it is unlike the loans of the training is not asked: it is one, or of the same time and
    lender.
    """
    terms = loans.set_index("loan_id")[["loan_amount", "interest_rate_pct", "term_months"]]
    rows = predictions[["loan_id", "probability_of_default"]].join(terms, on="loan_id")
    columns = (rows[name].to_numpy(float) for name in ("probability_of_default", *terms.columns))
    return decider.decide_columns(*columns)


def _count(rows: pd.DataFrame) -> dict[str, Any]:
    outcomes = rows.loc[rows["approves"], "is_charged_off"]
    loans, approved = len(rows), len(outcomes)
    low, high = wilson_bounds(approved, loans)
    counted = {
        "n": loans,
        "approved": approved,
        "approval_rate": approved / loans,
        "approval_rate_low": float(low),
        "approval_rate_high": float(high),
    }
    names = ("default_rate_approved", "default_rate_approved_low", "default_rate_approved_high")
    if not approved:
        return counted | dict.fromkeys(names, float("nan"))
    default = measure_default_rate(int(outcomes.sum()), approved)
    return counted | dict(zip(names, (default.rate, default.low, default.high), strict=True))
