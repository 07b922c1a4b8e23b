"""Nodes of the `insights` pipeline."""

from __future__ import annotations

from typing import Any

import pandas as pd

from loantap.measures.intervals import measure_default_rate
from loantap.policy.exploration import SAME_BY_DEFINITION, explore_outcomes, list_explored
from loantap.policy.money.imputed import tabulate_profits
from loantap.policy.money.scenarios import Economics
from loantap.policy.options import InsightsOptions
from loantap.policy.segments import summarise_segments as summarise
from loantap.portfolio.assembly import origin_of_rows, portfolio_origin
from loantap.reporting.eda_page import render_eda as render_exploration
from loantap.reporting.insights_page import PortfolioSummary
from loantap.reporting.insights_page import render_insights as render
from loantap.reporting.insights_sections import PageSection


def impute_profits(loans: pd.DataFrame, economics: Economics) -> pd.DataFrame:
    """Profit of every loan, imputed from its outcome, in every scenario."""
    return tabulate_profits(loans, economics)


def summarise_segments(loans: pd.DataFrame, options: InsightsOptions) -> pd.DataFrame:
    """Default rate of every segment, with count and interval."""
    return summarise(loans, options.min_loans)


def render_insights(
    segments: pd.DataFrame,
    recommendations: dict[str, Any],
    loans: pd.DataFrame,
    reconciliation: pd.DataFrame,
    policies: list[PageSection],
    findings: list[PageSection],
    offers: list[PageSection],
    fairness: list[PageSection],
    options: InsightsOptions,
) -> str:
    """Policies, findings, offers, segments and recommendations as one HTML page."""
    charged_off = int(loans["is_charged_off"].sum())
    default = measure_default_rate(charged_off, len(loans))
    events = reconciliation[reconciliation["table"] == "loan_events"]
    summary = PortfolioSummary(
        loans=len(loans),
        charged_off=charged_off,
        default_rate=default.rate,
        low=default.low,
        high=default.high,
        origin=recommendations["origin"],
        as_of=options.as_of,
        first_issued=loans["issue_month"].min().date(),
        last_issued=loans["issue_month"].max().date(),
        monthly_events_origin=origin_of_rows(events),
    )
    sections = [*policies, *findings, *offers, *fairness]
    return render(segments, recommendations["recommendations"], summary, sections)


def render_eda(loans: pd.DataFrame, reconciliation: pd.DataFrame, options: InsightsOptions) -> str:
    """Every column of the portfolio but personal ones, by outcome and as skrub reports it."""
    found = explore_outcomes(loans)
    return render_exploration(
        loans[list_explored(loans)],
        found.numbers,
        found.levels,
        SAME_BY_DEFINITION,
        origin=portfolio_origin(reconciliation),
        as_of=options.as_of,
    )
