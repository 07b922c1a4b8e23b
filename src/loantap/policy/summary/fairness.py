"""Which groups of borrowers a policy approves less often than the four-fifths rule asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

_FOUR_FIFTHS: Final = 0.8


def tell_fairness(fairness: pd.DataFrame, policy: str) -> str:
    """The groups approved at less than four fifths of the rate of those approved most often."""
    of_policy = fairness[fairness["policy"].eq(policy)]
    if of_policy.empty:
        return "Fairness: not computed for this policy."
    audited = of_policy[~of_policy["audit_only"].astype(bool) & of_policy["approval_ratio"].notna()]
    if audited.empty:
        return ""
    below = audited[audited["approval_ratio"].lt(_FOUR_FIFTHS)].sort_values("approval_ratio")
    shown = below[below["approval_ratio_high"].lt(_FOUR_FIFTHS)]
    if below.empty:
        return "Fairness: no group is approved at less than 0.80 of the rate of another."
    told = (
        "Fairness: the four-fifths rule asks that every group is approved at 0.80 or more of the "
        "rate of the group approved most often. "
    )
    if len(shown):
        groups = "; ".join(_tell_group(row) for row in shown.to_dict("records"))
        told += f"Shown to be below: {groups}. "
    if others := len(below) - len(shown):
        worst = _tell_group(below.drop(shown.index).iloc[0].to_dict())
        told += (
            f"{others} {'more lie' if len(shown) else 'lie'} below with 0.80 inside the interval, "
            f"the lowest {worst}."
        )
    return told.strip()


def _tell_group(row: Mapping[Any, Any]) -> str:
    proxy = str(row["phrase"]).partition(",")[0].lower()
    low, high = row["approval_ratio_low"], row["approval_ratio_high"]
    return f"{proxy}, {row['group']}: {row['approval_ratio']:.2f} ({low:.2f} to {high:.2f})"
