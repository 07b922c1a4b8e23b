"""The insights page and its sections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from loantap.portfolio.dictionary import SIMULATED
from loantap.portfolio.target import Target
from loantap.reporting.charts.findings import chart_driver_years, chart_drivers, chart_fairness_price, chart_rules
from loantap.reporting.charts.frontier import chart_frontier
from loantap.reporting.figures.interval_plot import FEW_LOANS
from loantap.reporting.formatting import CURRENCY, PageTable
from loantap.reporting.insights.choice_tables import (
	tabulate_choices,
	tabulate_concentration,
	tabulate_counterfactuals,
	tabulate_fairness,
	tabulate_fairness_price,
	tabulate_groups,
	tabulate_products,
)
from loantap.reporting.insights.finding_tables import (
	STRENGTH,
	SegmentPlot,
	plot_segments,
	tabulate_claims,
	tabulate_driver_years,
	tabulate_drivers,
	tabulate_finding_years,
	tabulate_findings,
	tabulate_information,
)
from loantap.reporting.insights.policy_tables import (
	PAID_LIVES,
	explain_policies,
	tabulate_policies,
	tabulate_rules,
	tabulate_scenarios,
)
from loantap.reporting.shell import PageChart, bundle_vega, read_script, render_page

_CONTRACTUAL = "contractual"


@dataclass(frozen=True, slots=True)
class PageSection:
	"""A section: lead, charts, tables, plots of one factor's segments; `is_audit`: nothing may be lent on it."""

	anchor: str
	heading: str
	lead: str = ""
	charts: Sequence[PageChart] = field(default_factory=tuple)
	tables: Sequence[PageTable] = field(default_factory=tuple)
	plots: Sequence[SegmentPlot] = field(default_factory=tuple)
	is_audit: bool = False


def describe_drivers(drivers: pd.DataFrame, values: pd.DataFrame, bins: pd.DataFrame) -> PageSection:
	"""Which factors default goes with, other factors equal."""
	loans = int(drivers["loans"].max())
	charts = [
		PageChart(
			"chart-drivers",
			"What drives default, other factors equal",
			loans,
			STRENGTH + " Bars hold 95% intervals.",
			chart_drivers(drivers),
		)
	]
	by_year = chart_driver_years(drivers)
	if by_year is not None:
		charts.append(
			PageChart(
				"chart-driver-years",
				"Does it hold in each issue year?",
				loans,
				"Strength in points, by the order that the segments have in all other years. Blue: "
				"the year follows that order; red: it goes the other way; faint: that may be "
				"chance. Empty: too few loans. Point at a field for its interval.",
				by_year,
			)
		)
	return PageSection(
		"drivers",
		"What drives default",
		(
			"What the lender sets, such as grade, rate and term, says what the incumbent engine "
			"thought of an applicant. All else is the applicant's own."
		),
		charts,
		[tabulate_drivers(drivers), tabulate_driver_years(drivers), tabulate_information(values, bins)],
	)


def describe_choices(
	policies: pd.DataFrame,
	fairness: pd.DataFrame,
	stressed: pd.DataFrame,
	scenario: str,
	scenarios: Sequence[str],
	later: str,
) -> PageSection:
	"""The policies that a committee chooses from, in one table."""
	return PageSection(
		"choices",
		"What there is to choose from",
		tables=[tabulate_choices(policies, fairness, stressed, scenario, scenarios, later)],
	)


def describe_policies(
	policies: pd.DataFrame, frontier: pd.DataFrame, targets: PageTable, scenario: str, scenarios: Sequence[str]
) -> PageSection:
	"""The frontier, each policy in the main scenario, targets; folded, the other scenarios."""
	others = [(name, life) for name in scenarios for life in PAID_LIVES if (name, life) != (scenario, _CONTRACTUAL)]
	loans = int(frontier.loc[frontier["sample"].eq("cv"), "n"].max())
	return PageSection(
		"policies",
		"Policies on the same loans",
		(
			"Every policy decides on the same loans, by PDs of models that did not see them, and "
			"what it learns from outcomes it learns on other loans. Profit is imputed from "
			f"outcomes, in {CURRENCY} per application; brackets hold 95% intervals."
		),
		[
			PageChart(
				"chart-frontier",
				"The frontier: what each default rate costs",
				loans,
				"Each line is one way to choose, from few approvals to all; thin bars hold 95% "
				"intervals. Point at a dot for the share that it approves: that tells which end "
				"of a line is strict. The scenario chosen below the chart changes the chart "
				f"alone; the table is of scenario {scenario}, the others are folded under it.",
				chart_frontier(frontier, (scenario, _CONTRACTUAL), scenarios),
			)
		],
		[
			tabulate_policies(policies, scenario, _CONTRACTUAL),
			targets,
			explain_policies(),
			*(tabulate_policies(policies, *outlook, is_folded=True) for outlook in others),
		],
	)


def describe_rules(rules: pd.DataFrame) -> PageSection:
	"""What each rule would have changed; takes what `chart_rules` takes."""
	charts = []
	if rules["profit_change"].notna().any():
		charts.append(
			PageChart(
				"chart-rules",
				"What each rule would have changed",
				int(rules["n"].max()),
				f"Change of imputed profit per application in scenario {rules['scenario'].iloc[0]}, paid loans no "
				"longer than observed, with its 95% interval. Right of the dashed line the rule earns. Beside each "
				"rule: the loans that it was tested on; rules of the search are tested on half of them.",
				chart_rules(rules),
			)
		)
	return PageSection(
		"rules",
		"Policy lab: rules tried",
		(
			"Each rule declines the loans that it names. Those written by hand are tested on all judged loans; those "
			"found by the search are tested on the half that the search did not look at. A rule gains where its profit "
			"is above zero beyond what the number of rules tried explains."
		),
		charts,
		[tabulate_rules(rules)],
	)


def describe_claims(claims: pd.DataFrame) -> PageSection:
	"""The claims of the case study, each against the loans."""
	return PageSection("claims", "The case study against the loans", tables=[tabulate_claims(claims)])


def describe_findings(findings: pd.DataFrame, years: pd.DataFrame, default_rate: float) -> PageSection:
	"""The segments that differ, and every segment of every factor."""
	lent_on = findings[findings["role"].ne("audit")]
	return PageSection(
		"findings",
		"Segments that differ from all others",
		tables=[tabulate_findings(findings), tabulate_finding_years(findings, years)],
		plots=plot_segments(lent_on, default_rate),
	)


def describe_audit(findings: pd.DataFrame, default_rate: float) -> PageSection:
	"""What is looked at in the audit only."""
	audited = findings[findings["role"].eq("audit")]
	return PageSection("audit", "Audit: pincode and state", plots=plot_segments(audited, default_rate), is_audit=True)


def describe_offers(products: pd.DataFrame, counterfactuals: pd.DataFrame, concentration: pd.DataFrame) -> PageSection:
	"""Who would get which loan where no grade exists yet."""
	return PageSection(
		"products",
		"Products by segment",
		(
			"What the offers pipeline would propose to the applicants of the portfolio: the rate "
			"pays for funds, expected loss, costs and a fixed margin."
		),
		tables=[
			tabulate_products(products),
			tabulate_counterfactuals(counterfactuals),
			tabulate_concentration(concentration),
		],
	)


def describe_fairness(
	audit: pd.DataFrame, frontier: pd.DataFrame, scenario: str, paid_life: str, shown_cap: float
) -> PageSection:
	"""How alike groups of borrowers are approved, and what it costs to approve them alike."""
	charts = []
	if len(frontier):
		charts.append(
			PageChart(
				"chart-fairness",
				"What it costs to approve groups alike",
				int(frontier["n"].max()),
				"Across: the approval rate of the group approved least often, as a share of that of the group approved "
				"most often, from what it is today to 1. Up: imputed profit that the NPV policy would lose, with its "
				"95% interval; below 0 it would earn. Where the bars hold 0, no cost can be told. Points that reach "
				"the same ratio stand beside one another. A measurement, not a proposal: hurdles that depend on a "
				"borrower's group are themselves unlawful in many places.",
				chart_fairness_price(frontier, scenario, paid_life),
			)
		)
	return PageSection(
		"fairness",
		"Fairness of each policy",
		(
			"No protected attribute (age, sex, religion, caste, marital status, disability) is in "
			"the data. The audit looks at groups that may stand for one, so it can neither show "
			"nor rule out equal treatment of protected groups."
		),
		charts,
		[
			tabulate_fairness(audit, shown_cap),
			tabulate_groups(audit),
			tabulate_fairness_price(frontier, scenario, paid_life),
		],
	)


@dataclass(frozen=True, slots=True)
class PortfolioSummary:
	"""The resolved loans of an insights page; `low` and `high` bound the default rate at 95%."""

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
	summary: Mapping[str, Any], sections: Sequence[PageSection], portfolio: PortfolioSummary, economics: Mapping[str, Any]
) -> str:
	"""Render the insights page as one HTML document: `summary.json`, then the sections in order.

	`economics` holds `scenarios` by name, and `ranges` with their `source`.
	"""
	return render_page(
		"insights.html",
		origin=portfolio.origin,
		scripts=[bundle_vega(), read_script("charts.js"), read_script("unfold.js")],
		title="Credit policy: what the loans say",
		portfolio=portfolio,
		target=Target.CHARGED_OFF,  # money is reckoned with no other
		summary=summary,
		sections=sections,
		scenarios=tabulate_scenarios(economics),
		are_events_simulated=portfolio.monthly_events_origin == SIMULATED,
		few_loans=FEW_LOANS,
	)
