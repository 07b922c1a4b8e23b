"""The insights page: what the loans say, what each policy earns, and what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from loantap.portfolio.dictionary import SIMULATED
from loantap.reporting.charts.inline import bundle_vega
from loantap.reporting.figures.interval_plot import FEW_LOANS
from loantap.reporting.insights.policy_tables import tabulate_scenarios
from loantap.reporting.insights.sections import PageSection
from loantap.reporting.shell import read_script, render_page


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


def render_insights(
    summary: Mapping[str, Any],
    sections: Sequence[PageSection],
    portfolio: PortfolioSummary,
    economics: Mapping[str, Any],
) -> str:
    """Render the insights page as one HTML document.

    Args:
        summary: `summary.json`: five findings and three actions.
        sections: what the page shows below them, in this order.
        portfolio: the loans that the page is about.
        economics: `scenarios` by name, and `ranges` of what they assume, with their `source`.
    """
    return render_page(
        "insights.html",
        origin=portfolio.origin,
        scripts=[bundle_vega(), read_script("charts.js"), read_script("unfold.js")],
        title="Credit policy: what the loans say",
        portfolio=portfolio,
        summary=summary,
        sections=sections,
        scenarios=tabulate_scenarios(economics),
        are_events_simulated=portfolio.monthly_events_origin == SIMULATED,
        few_loans=FEW_LOANS,
    )
