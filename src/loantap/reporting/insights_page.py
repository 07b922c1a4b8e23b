"""The insights page: what goes with default, in plain words and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from loantap.portfolio.dictionary import SIMULATED
from loantap.reporting.figures.interval_plot import (
    FEW_LOANS,
    Axis,
    Dot,
    make_rate_axis,
    place_rates,
)
from loantap.reporting.formatting import explain_segmentation, name_segmentation
from loantap.reporting.shell import render_page

# Strongest evidence first; an unknown word would come before a claim without evidence.
_STRENGTHS = ("strong", "moderate", "weak", "none")


@dataclass(frozen=True, slots=True)
class PortfolioSummary:
    """The portfolio an insights page is about.

    Attributes:
        loans: resolved loans.
        charged_off: of these, charged off.
        default_rate: their share, a fraction.
        low: lower bound of its 95% interval.
        high: upper bound.
        origin: `real` or `simulated`.
        as_of: the date the page speaks of.
        monthly_events_origin: origin of the monthly events.
    """

    loans: int
    charged_off: int
    default_rate: float
    low: float
    high: float
    origin: str
    as_of: date
    monthly_events_origin: str


@dataclass(frozen=True, slots=True)
class Section:
    """One segmentation as the template shows it: heading, plot and table."""

    anchor: str
    heading: str
    meaning: str
    axis: Axis
    reference: float
    dots: Sequence[Dot]
    rows: Sequence[Mapping[str, Any]]
    findings: Sequence[Mapping[str, Any]]


def render_insights(
    segments: pd.DataFrame,
    recommendations: Sequence[Mapping[str, Any]],
    portfolio: PortfolioSummary,
) -> str:
    """Render the insights page as one HTML document.

    Args:
        segments: one row per segmentation and segment: `segmentation`, `segment`, `order`,
            `loans`, `charged_off`, `default_rate`, `low`, `high` (95% Wilson interval),
            `share_of_loans` (fractions), `audit_only`. Sections follow the order in which the
            segmentations first appear; those that are audit only stand apart at the end.
        recommendations: mappings with `title`, `finding`, `action`, `loans`, `default_rate`,
            `low`, `high`, `reference_rate` (of all other loans), `adjusted_p_value` (None: not
            tested), `strength` (`strong`, `moderate`, `weak`, `none`), `caveat`. One whose
            `segmentation` is audit only is shown with the audit, never as a recommendation.
        portfolio: the whole that segments are compared with.
    """
    is_audit = segments["audit_only"].astype(bool)
    audits = _make_sections(segments[is_audit], portfolio.default_rate, recommendations)
    audited = set(segments.loc[is_audit, "segmentation"])
    to_act_on = [r for r in recommendations if r.get("segmentation") not in audited]
    return render_page(
        "insights.html",
        origin=portfolio.origin,
        title="What goes with default",
        portfolio=portfolio,
        are_events_simulated=portfolio.monthly_events_origin == SIMULATED,
        few_loans=FEW_LOANS,
        recommendations=sorted(to_act_on, key=_rank_strength),
        sections=_make_sections(segments[~is_audit], portfolio.default_rate),
        audits=audits,
    )


def _rank_strength(recommendation: Mapping[str, Any]) -> int:
    strength = recommendation["strength"]
    return _STRENGTHS.index(strength) if strength in _STRENGTHS else len(_STRENGTHS) - 1


def _make_sections(
    segments: pd.DataFrame, reference: float, findings: Sequence[Mapping[str, Any]] = ()
) -> list[Section]:
    if segments.empty:
        return []
    # One scale for all: a strong driver and a weak one must not look alike.
    telling = segments[segments["loans"] >= FEW_LOANS]
    highest = float((segments if telling.empty else telling)["high"].max())
    axis = make_rate_axis(max(highest, reference))
    return [
        _make_section(
            str(name),
            group.sort_values("order", kind="stable"),
            axis,
            reference,
            [finding for finding in findings if finding.get("segmentation") == name],
        )
        for name, group in segments.groupby("segmentation", sort=False)
    ]


def _make_section(
    name: str,
    segments: pd.DataFrame,
    axis: Axis,
    reference: float,
    findings: Sequence[Mapping[str, Any]],
) -> Section:
    worded = segments.assign(segment=segments["segment"].astype("str").str.replace("_", " "))
    return Section(
        anchor="by-" + name.replace("_", "-"),
        heading=name_segmentation(name),
        meaning=explain_segmentation(name),
        axis=axis,
        reference=axis.place(reference),
        dots=place_rates(worded, axis, reference),
        rows=[{str(k): v for k, v in row.items()} for row in worded.to_dict("records")],
        findings=findings,
    )
