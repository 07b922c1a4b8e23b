"""Whom a policy would have approved, and how these loans turned out."""

from __future__ import annotations

from typing import Any

import pandas as pd

from loantap.measures.intervals import measure_default_rate, wilson_bounds
from loantap.policy.decisions import Decider


def tabulate_approvals(predictions: pd.DataFrame, decider: Decider) -> pd.DataFrame:
    """Approval rate of each sample, and default rate of what is approved.

    Args:
        predictions: what `predict_samples` returned: PDs by models that did not see the loan.
        decider: the policy at the PDs of the model.

    Returns:
        One row per sample, in the order they come: `sample`, `n`, `approved`, `approval_rate`,
        `default_rate_approved`; rates with `_low` and `_high` (95% Wilson), the latter missing
        where nobody is approved.
    """
    approves = decider.approves_column(predictions["probability_of_default"].to_numpy())
    samples = predictions.assign(approves=approves).groupby("sample", sort=False, observed=True)
    return pd.DataFrame([{"sample": sample, **_count(rows)} for sample, rows in samples])


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
