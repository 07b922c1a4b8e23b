"""The sections of the insights page: policies, drivers, claims, findings, offers, fairness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from loantap.reporting.insights_tables import (
    PageTable,
    tabulate_claims,
    tabulate_concentration,
    tabulate_counterfactuals,
    tabulate_driver_years,
    tabulate_drivers,
    tabulate_fairness,
    tabulate_fairness_price,
    tabulate_finding_years,
    tabulate_findings,
    tabulate_information,
    tabulate_policies,
    tabulate_products,
)

_PAID_LIVES = ("contractual", "capped")


@dataclass(frozen=True, slots=True)
class PageSection:
    """A section of the page.

    Attributes:
        anchor: its id.
        heading: its title.
        lead: a paragraph before the tables; none when empty.
        tables: in their order.
        chart: an image as a data address; none when empty.
        chart_caption: what the chart shows.
    """

    anchor: str
    heading: str
    lead: str = ""
    tables: Sequence[PageTable] = field(default_factory=tuple)
    chart: str = ""
    chart_caption: str = ""


def describe_policies(
    policies: pd.DataFrame, chart: str, scenario: str, scenarios: Sequence[str]
) -> PageSection:
    """The frontier, then each policy in the main scenario and, folded, in the others."""
    outlooks = [(scenario, paid_life) for paid_life in _PAID_LIVES]
    others = [(name, life) for name in scenarios if name != scenario for life in _PAID_LIVES]
    return PageSection(
        "policies",
        "Policies on the same loans",
        (
            "Every policy decides on the same loans, by PDs of models that did not see them, and "
            "what it learns from outcomes it learns on other loans. Profit is imputed from "
            "outcomes, in currency per application; brackets hold 95% intervals."
        ),
        [
            *(tabulate_policies(policies, *outlook) for outlook in outlooks),
            *(tabulate_policies(policies, *outlook, is_folded=True) for outlook in others),
        ],
        chart,
        "Imputed profit per application against the default rate among approved loans. Bands: 95% "
        "intervals. To approve fewer defaults than the top of the curve costs profit.",
    )


def describe_drivers(
    drivers: pd.DataFrame, values: pd.DataFrame, bins: pd.DataFrame
) -> PageSection:
    """Which factors default goes with, other factors equal."""
    return PageSection(
        "drivers",
        "What drives default",
        (
            "Grade, rate and term are the lender's own pricing: they say what the incumbent engine "
            "thought of an applicant. The others are the applicant's."
        ),
        [
            tabulate_drivers(drivers),
            tabulate_driver_years(drivers),
            tabulate_information(values, bins),
        ],
    )


def describe_claims(claims: pd.DataFrame) -> PageSection:
    """The claims of the case study, each against the loans."""
    return PageSection("claims", "The case study against the loans", "", [tabulate_claims(claims)])


def describe_findings(findings: pd.DataFrame, years: pd.DataFrame) -> PageSection:
    """The segments that differ, and how stable that is."""
    return PageSection(
        "findings",
        "Segments that differ from all others",
        "",
        [tabulate_findings(findings), tabulate_finding_years(findings, years)],
    )


def describe_offers(
    products: pd.DataFrame, counterfactuals: pd.DataFrame, concentration: pd.DataFrame
) -> PageSection:
    """Who would get which loan where no grade exists yet."""
    return PageSection(
        "products",
        "Products by segment",
        (
            "What the offers pipeline would propose to the applicants of the portfolio: the rate "
            "pays for funds, expected loss, costs and a fixed margin."
        ),
        [
            tabulate_products(products),
            tabulate_counterfactuals(counterfactuals),
            tabulate_concentration(concentration),
        ],
    )


def describe_fairness(
    audit: pd.DataFrame, frontier: pd.DataFrame, scenario: str, paid_life: str
) -> PageSection:
    """How alike groups of borrowers are approved, and what it costs to approve them alike."""
    return PageSection(
        "fairness",
        "Fairness of each policy",
        (
            "The data holds no protected attribute. The audit looks at groups that may stand for "
            "one, and can neither show nor rule out equal treatment."
        ),
        [tabulate_fairness(audit), tabulate_fairness_price(frontier, scenario, paid_life)],
    )
