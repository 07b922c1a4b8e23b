"""Nodes of the `insights` pipeline that word its tables."""

from typing import Any

import pandas as pd

from loantap.measures.intervals import measure_default_rate
from loantap.policy.comparison.measures import stress_policy
from loantap.policy.comparison.rules import NPV
from loantap.policy.credit_policy import CreditPolicy
from loantap.policy.money.cash_flows import Economics, PaidLife
from loantap.policy.options import InsightsOptions
from loantap.policy.summary.actions import propose_actions
from loantap.policy.summary.findings import summarise_findings
from loantap.policy.summary.headlines import count_samples, describe_later, describe_summary
from loantap.portfolio.assembly import events_origin, portfolio_origin
from loantap.reporting.insights import sections
from loantap.reporting.insights.policy_tables import list_rules, tabulate_targets
from loantap.reporting.insights.sections import PageSection, PortfolioSummary
from loantap.reporting.insights.sections import render_insights as render

_SHOWN = PaidLife.CONTRACTUAL.value


def summarise(
  drivers: pd.DataFrame,
  findings: pd.DataFrame,
  claims: pd.DataFrame,
  policies: pd.DataFrame,
  recommendations: dict[str, Any],
  fairness: pd.DataFrame,
  targets: pd.DataFrame,
  approvals: pd.DataFrame,
  profits: pd.DataFrame,
  loans: pd.DataFrame,
  economics: Economics,
) -> dict[str, Any]:
  """Five findings and three actions, each with its money."""
  main = economics.main
  later = describe_later(approvals, loans)
  told = summarise_findings(drivers, findings, policies, claims, main)
  stressed = stress_policy(approvals, profits, NPV, list(economics.scenarios))
  actions = propose_actions(policies, recommendations, fairness, targets, stressed, main, later)
  origin, samples = recommendations["origin"], count_samples(approvals)
  return describe_summary(told, actions, main, origin, samples, later)


def word_policies(
  policies: pd.DataFrame,
  frontier: pd.DataFrame,
  targets: pd.DataFrame,
  fairness: pd.DataFrame,
  approvals: pd.DataFrame,
  profits: pd.DataFrame,
  summary: dict[str, Any],
  policy: CreditPolicy,
  economics: Economics,
) -> list[PageSection]:
  """The choice there is; then the frontier, each policy, and the targets of the one in force."""
  checks = tabulate_targets(targets, policy.name)
  outlooks = economics.main, list(economics.scenarios)
  stressed = stress_policy(approvals, profits, NPV, outlooks[1])
  return [
    sections.describe_choices(policies, fairness, stressed, *outlooks, summary["out_of_time"]),
    sections.describe_policies(policies, frontier, checks, *outlooks),
  ]


def word_rules(rule_tests: pd.DataFrame, recommendations: dict[str, Any]) -> list[PageSection]:
  """What the rules of the policy lab would have changed."""
  outlook = recommendations["scenario"], recommendations["paid_life"]
  return [sections.describe_rules(list_rules(rule_tests, *outlook))]


def word_findings(
  findings: pd.DataFrame,
  finding_years: pd.DataFrame,
  drivers: pd.DataFrame,
  claims: pd.DataFrame,
  information_values: pd.DataFrame,
  bins: pd.DataFrame,
) -> list[PageSection]:
  """Drivers, segments that differ, the claims of the case study, and the audit."""
  whole = findings[findings["segmentation"].eq(findings["segmentation"].iloc[0])]
  default_rate = whole["charged_off"].sum() / whole["loans"].sum()
  return [
    sections.describe_drivers(drivers, information_values, bins),
    sections.describe_claims(claims),
    sections.describe_findings(findings, finding_years, default_rate),
    sections.describe_audit(findings, default_rate),
  ]


def word_offers(
  products: pd.DataFrame, counterfactuals: pd.DataFrame, concentration: pd.DataFrame
) -> list[PageSection]:
  """Products by segment, and where the book gathers."""
  return [sections.describe_offers(products, counterfactuals, concentration)]


def word_fairness(
  fairness_by_policy: pd.DataFrame, fairness_frontier: pd.DataFrame, economics: Economics, options: InsightsOptions
) -> list[PageSection]:
  """What each policy does to groups of borrowers, and what a fairer one costs."""
  outlook = economics.main, _SHOWN
  cap = options.comparison.shown_cap
  return [sections.describe_fairness(fairness_by_policy, fairness_frontier, *outlook, cap)]


def render_insights(
  summary: dict[str, Any],
  policies: list[PageSection],
  rules: list[PageSection],
  findings: list[PageSection],
  offers: list[PageSection],
  fairness: list[PageSection],
  loans: pd.DataFrame,
  reconciliation: pd.DataFrame,
  economics: Economics,
  options: InsightsOptions,
) -> str:
  """Summary, policies, rules, findings, offers and fairness as one HTML page."""
  charged_off = int(loans["is_charged_off"].sum())
  default = measure_default_rate(charged_off, len(loans))
  portfolio = PortfolioSummary(
    loans=len(loans),
    charged_off=charged_off,
    default_rate=default.rate,
    low=default.low,
    high=default.high,
    origin=portfolio_origin(reconciliation),
    as_of=options.as_of,
    first_issued=loans["issue_month"].min().date(),
    last_issued=loans["issue_month"].max().date(),
    monthly_events_origin=events_origin(reconciliation),
  )
  (choices, *compared), (drivers, *others) = policies, findings
  parts = [choices, drivers, *compared, *rules, *others, *offers, *fairness]
  return render(summary, parts, portfolio, economics.model_dump(mode="json"))
