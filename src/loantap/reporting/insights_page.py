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
from loantap.reporting.insights_sections import PageSection
from loantap.reporting.shell import render_page


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
        first_issued: month of the first issue.
        last_issued: month of the last.
        monthly_events_origin: origin of the monthly events.
    """

    loans: int
    charged_off: int
    default_rate: float
    low: float
    high: float
    origin: str
    as_of: date
    first_issued: date
    last_issued: date
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


def render_insights(
    segments: pd.DataFrame,
    recommendations: Sequence[Mapping[str, Any]],
    portfolio: PortfolioSummary,
    parts: Sequence[PageSection] = (),
) -> str:
    """Render the insights page as one HTML document.

    Args:
        segments: one row per segmentation and segment: `segmentation`, `segment`, `order`,
            `loans`, `charged_off`, `default_rate`, `low`, `high` (95% Wilson interval),
            `share_of_loans` (fractions), `audit_only`. Sections follow the order in which the
            segmentations first appear; those that are audit only stand apart at the end.
        recommendations: the rules of `recommendations.json`, those that hold.
        portfolio: the whole that segments are compared with.
        parts: what the page says of policies, findings, offers and fairness, in this order.
    """
    is_audit = segments["audit_only"].astype(bool)
    return render_page(
        "insights.html",
        origin=portfolio.origin,
        title="Credit policy: what the loans say",
        portfolio=portfolio,
        parts=parts,
        are_events_simulated=portfolio.monthly_events_origin == SIMULATED,
        few_loans=FEW_LOANS,
        recommendations=[_make_card(recommendation) for recommendation in recommendations],
        sections=_make_sections(segments[~is_audit], portfolio.default_rate),
        audits=_make_sections(segments[is_audit], portfolio.default_rate),
    )


def _make_card(recommendation: Mapping[str, Any]) -> dict[str, Any]:
    """A rule with the figures of where it holds: alone, or after the NPV policy."""
    holds_alone = recommendation["holds"]
    figures = recommendation if holds_alone else recommendation["after_npv"]
    change = figures["profit_change"][recommendation["scenario"]][recommendation["paid_life"]]
    return {**recommendation, **figures, "change": change, "is_alone": holds_alone}


def _make_sections(segments: pd.DataFrame, reference: float) -> list[Section]:
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
        )
        for name, group in segments.groupby("segmentation", sort=False)
    ]


def _make_section(
    name: str,
    segments: pd.DataFrame,
    axis: Axis,
    reference: float,
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
    )
