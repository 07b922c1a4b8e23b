"""What the portfolio says about credit policy, each statement with its evidence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, fisher_exact

_STRONG, _MODERATE, _WEAK = 0.001, 0.01, 0.05


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One statement about a segment.

    Attributes:
        title: the statement in a few words.
        finding: what the loans show.
        action: what to consider.
        segmentation: what the loans are divided by.
        segment: the segment meant.
        loans: number of loans in it.
        default_rate: of the segment.
        low: 95% lower bound of it.
        high: 95% upper bound.
        reference_rate: default rate of all other loans.
        adjusted_p_value: of the difference, false discovery rate controlled over all segments.
        strength: `strong`, `moderate` or `weak`.
        caveat: what it does not show.
    """

    title: str
    finding: str
    action: str
    segmentation: str
    segment: str
    loans: int
    default_rate: float
    low: float
    high: float
    reference_rate: float
    adjusted_p_value: float
    strength: str
    caveat: str

    def as_dict(self) -> dict[str, Any]:
        """Its fields, for JSON."""
        return asdict(self)


_NAMES = {
    "loan_amount": "loan amount",
    "annual_income": "yearly income",
    "dti_pct": "DTI",
    "revolving_utilisation_pct": "revolving utilisation",
    "interest_rate_pct": "interest rate",
    "term_months": "term",
    "home_ownership": "home ownership",
}
_ACTIONS = {
    "above": "Review price and limits of the segment before its approval rule.",
    "below": "See what the segment earns before competing for more of it: few defaults can come "
    "with a low return.",
}
_CAVEAT = (
    "A difference in default rates between groups of resolved loans, not adjusted for anything "
    "else; rates already price most of it, so declining the group may cost more than it saves."
)
_AUDIT_CAVEAT = (
    "Audit finding. The pincode in this data is built from the outcome; it is not known to hold "
    "for the next applicant and is a proxy for where people live. Never lend on it."
)


def recommend(segments: pd.DataFrame, most: int) -> list[Recommendation]:
    """The segments that differ most from all other loans, strongest evidence first.

    Args:
        segments: what `summarise_segments` returned.
        most: how many statements about credit segments to give; audit findings come after.

    Fisher's exact test of each segment against all other loans, Benjamini-Hochberg over all
    credit segments; one that shows no difference is not stated.
    """
    tested = segments[~segments["segment"].isin(["not stated", "other"])].copy()
    total = segments[segments["segmentation"] == "grade"][["loans", "charged_off"]].sum()
    rest_loans = total["loans"] - tested["loans"]
    rest_bad = total["charged_off"] - tested["charged_off"]
    tested = tested.assign(reference_rate=rest_bad / rest_loans)[rest_loans > 0]
    if tested.empty:
        return []
    tested["p_value"] = [
        _p_value(row.charged_off, row.loans, total["charged_off"], total["loans"])
        for row in tested.itertuples()
    ]
    # The audit's near-zero p-values would loosen the control of the credit segments.
    tested["adjusted_p_value"] = tested.groupby("audit_only")["p_value"].transform(
        false_discovery_control
    )
    gap = (tested["default_rate"] - tested["reference_rate"]).abs() * np.sqrt(tested["loans"])
    ranked = tested.assign(gap=gap).sort_values("gap", ascending=False, kind="stable")
    differing = ranked[ranked["adjusted_p_value"] < _WEAK]
    credit = differing[~differing["audit_only"]].drop_duplicates("segmentation").head(most)
    audit = ranked[ranked["audit_only"] & (ranked["adjusted_p_value"] < _STRONG)]
    return [_state(row) for _, row in pd.concat([credit, audit]).iterrows()]


def _p_value(bad: int, loans: int, all_bad: int, all_loans: int) -> float:
    others_bad, others = all_bad - bad, all_loans - loans
    table = [[bad, loans - bad], [others_bad, others - others_bad]]
    return float(fisher_exact(table).pvalue)


def _state(row: pd.Series) -> Recommendation:
    name = _NAMES.get(row["segmentation"], row["segmentation"])
    side = "above" if row["default_rate"] > row["reference_rate"] else "below"
    strength = _strength(row["adjusted_p_value"])
    if row["audit_only"]:
        title = f"{name} {row['segment']} is a leak, not a credit signal"
        action = "Keep it out of every decision; ask where the value comes from."
        caveat = _AUDIT_CAVEAT
    else:
        title = f"{name} {row['segment']}: default rate {side} the others"
        action = _ACTIONS[side]
        caveat = _CAVEAT
    finding = (
        f"{row['default_rate']:.1%} of {row['loans']:,} resolved loans were charged off "
        f"(95% interval {row['low'] * 100:.1f} to {row['high']:.1%}), against "
        f"{row['reference_rate']:.1%} of all others."
    )
    return Recommendation(
        title=title[0].upper() + title[1:],
        finding=finding,
        action=action,
        segmentation=row["segmentation"],
        segment=row["segment"],
        loans=int(row["loans"]),
        default_rate=float(row["default_rate"]),
        low=float(row["low"]),
        high=float(row["high"]),
        reference_rate=float(row["reference_rate"]),
        adjusted_p_value=float(row["adjusted_p_value"]),
        strength=strength,
        caveat=caveat,
    )


def _strength(p_value: float) -> str:
    if p_value < _STRONG:
        return "strong"
    return "moderate" if p_value < _MODERATE else "weak"
