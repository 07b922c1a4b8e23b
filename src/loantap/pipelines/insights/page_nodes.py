"""Nodes of the `insights` pipeline that word its tables for the page."""

from __future__ import annotations

import pandas as pd

from loantap.policy.money.scenarios import Economics, PaidLife
from loantap.portfolio.assembly import portfolio_origin
from loantap.reporting import insights_sections as sections
from loantap.reporting.figures.frame import Title
from loantap.reporting.figures.frontier import plot_frontier
from loantap.reporting.figures.inline import embed_svg
from loantap.reporting.insights_sections import PageSection

_SHOWN = PaidLife.CONTRACTUAL.value


def word_policies(
    policy_comparison: pd.DataFrame,
    frontier: pd.DataFrame,
    reconciliation: pd.DataFrame,
    economics: Economics,
) -> list[PageSection]:
    """The frontier, and what each policy would have earned."""
    loans = int(frontier.loc[frontier["sample"].eq("cv"), "n"].max())
    title = Title("lending", portfolio_origin(reconciliation), loans, not_for_lending=False)
    chart = embed_svg(plot_frontier(frontier, economics.main, _SHOWN, title))
    return [
        sections.describe_policies(
            policy_comparison, chart, economics.main, list(economics.scenarios)
        )
    ]


def word_findings(
    findings: pd.DataFrame,
    finding_years: pd.DataFrame,
    drivers: pd.DataFrame,
    claims: pd.DataFrame,
    information_values: pd.DataFrame,
    bins: pd.DataFrame,
) -> list[PageSection]:
    """Drivers, segments that differ, and the claims of the case study."""
    return [
        sections.describe_drivers(drivers, information_values, bins),
        sections.describe_claims(claims),
        sections.describe_findings(findings, finding_years),
    ]


def word_offers(
    products: pd.DataFrame, counterfactuals: pd.DataFrame, concentration: pd.DataFrame
) -> list[PageSection]:
    """Products by segment, and where the book gathers."""
    return [sections.describe_offers(products, counterfactuals, concentration)]


def word_fairness(
    fairness_by_policy: pd.DataFrame, fairness_frontier: pd.DataFrame, economics: Economics
) -> list[PageSection]:
    """What each policy does to groups of borrowers, and what a fairer one costs."""
    return [
        sections.describe_fairness(fairness_by_policy, fairness_frontier, economics.main, _SHOWN)
    ]
