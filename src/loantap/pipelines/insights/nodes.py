"""Nodes of the `insights` pipeline: those that compute, then those that word the tables."""

from typing import Any

import pandas as pd

from loantap.measures.intervals import measure_default_rate
from loantap.model.training.predictions import CROSS_VALIDATION
from loantap.model.validation.evaluation import JudgedModel
from loantap.policy.comparison.comparison import decide_portfolio, list_approvals
from loantap.policy.comparison.frontier import compare_policies as compare
from loantap.policy.comparison.measures import stress_policy
from loantap.policy.comparison.rules import NPV
from loantap.policy.credit_policy import CreditPolicy
from loantap.policy.decisions import make_decider
from loantap.policy.exploration import SAME_BY_DEFINITION, explore_outcomes, list_explored
from loantap.policy.fairness import policy_audit
from loantap.policy.fairness.frontier import price_fairness
from loantap.policy.findings import information
from loantap.policy.findings.find import find_all
from loantap.policy.lab.backtest import backtest, gather_judged_loans
from loantap.policy.lab.recommendations import report_rules
from loantap.policy.lab.search import list_candidates
from loantap.policy.money.cash_flows import Economics, PaidLife
from loantap.policy.money.returns import tabulate_profits
from loantap.policy.offers.concentration import measure_portfolio
from loantap.policy.offers.products import estimate_counterfactuals as estimate
from loantap.policy.offers.products import tabulate_products as tabulate
from loantap.policy.options import InsightsOptions, OffersOptions
from loantap.policy.summary.actions import propose_actions
from loantap.policy.summary.findings import summarise_findings
from loantap.policy.summary.headlines import count_samples, describe_later, describe_summary
from loantap.policy.targets import check_targets, decide_loans, tabulate_targets
from loantap.portfolio.assembly import events_origin, portfolio_origin
from loantap.reporting.eda_page import render_eda as render_exploration
from loantap.reporting.insights import sections
from loantap.reporting.insights.policy_tables import list_rules
from loantap.reporting.insights.policy_tables import tabulate_targets as word_targets
from loantap.reporting.insights.sections import PageSection, PortfolioSummary
from loantap.reporting.insights.sections import render_insights as render

_SHOWN = PaidLife.CONTRACTUAL.value


def impute_profits(loans: pd.DataFrame, economics: Economics) -> pd.DataFrame:
	"""Profit of every loan, imputed from its outcome, in every scenario."""
	return tabulate_profits(loans, economics)


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


def compare_policies(
	judged: JudgedModel, loans: pd.DataFrame, splits: pd.DataFrame, economics: Economics, options: InsightsOptions
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
	"""Whom each policy approves, what it would have earned, and the frontier."""
	decided = decide_portfolio(judged.lifetime_predictions, loans, splits, economics, options.comparison)
	compared = compare(decided, economics, options.comparison, options.min_loans)
	return list_approvals(decided, economics), compared.policies, compared.frontier


def check_policy_targets(
	judged: JudgedModel, loans: pd.DataFrame, policy: CreditPolicy, economics: Economics
) -> pd.DataFrame:
	"""What the policy reaches on loans judged in cross-validation, target by target."""
	predictions = judged.lifetime_predictions
	rows = predictions[predictions["sample"].eq(CROSS_VALIDATION)]
	decided = decide_loans(rows, loans, make_decider(policy, economics))
	more = loans.set_index("loan_id")[["loan_amount", "state"]]
	known = rows[["loan_id", "is_charged_off"]].join(more, on="loan_id")
	return tabulate_targets(check_targets(decided, known, policy.targets))


def backtest_rules(
	loans: pd.DataFrame, profits: pd.DataFrame, lending: JudgedModel, economics: Economics, options: InsightsOptions
) -> pd.DataFrame:
	"""What each rule would have done, those written by hand and those the search finds."""
	judged = gather_judged_loans(loans, profits, lending.lifetime_predictions, economics)
	candidates = list_candidates(judged, economics.main, options.lab)
	return backtest(candidates, judged, options.lab.min_loans)


def recommend(
	rule_tests: pd.DataFrame, reconciliation: pd.DataFrame, economics: Economics, options: InsightsOptions
) -> dict[str, Any]:
	"""The rules that hold and those that do not, with their evidence."""
	return report_rules(rule_tests, portfolio_origin(reconciliation), economics, options.lab)


def audit_policies(
	judged: JudgedModel,
	approvals: pd.DataFrame,
	loans: pd.DataFrame,
	profits: pd.DataFrame,
	economics: Economics,
	options: InsightsOptions,
) -> tuple[pd.DataFrame, pd.DataFrame]:
	"""What each policy does to each group of borrowers, and what a fairer one costs."""
	rows = policy_audit.join_approvals(judged.lifetime_predictions, approvals, loans)
	policies = policy_audit.list_policies(approvals)
	return (
		policy_audit.audit_policies(rows, policies, options.fairness),
		price_fairness(rows, profits, economics, options.fairness),
	)


def find_effects(
	loans: pd.DataFrame, profits: pd.DataFrame, economics: Economics, options: InsightsOptions
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
	"""What is found of segments, of segments in each year, of drivers, and of claims."""
	found = find_all(loans, profits, economics.main, options.findings)
	return found.segments, found.years, found.drivers, found.claims


def measure_information(loans: pd.DataFrame, options: InsightsOptions) -> tuple[pd.DataFrame, pd.DataFrame]:
	"""Information value of every factor known at the decision, and its bins."""
	measured = information.measure_information(loans, options.findings)
	return measured.values, measured.bins


def tabulate_products(
	loans: pd.DataFrame, judged: JudgedModel, policy: CreditPolicy, economics: Economics, options: OffersOptions
) -> pd.DataFrame:
	"""Which amount, term and rate each segment would be offered, and what that earns."""
	return tabulate(loans, judged.lifetime_predictions, options, make_decider(policy, economics))


def estimate_counterfactuals(loans: pd.DataFrame, options: OffersOptions) -> pd.DataFrame:
	"""Odds ratios of default by term and amount, before and after the grade is known."""
	return estimate(loans, options)


def measure_concentration(
	loans: pd.DataFrame, judged: JudgedModel, policy: CreditPolicy, economics: Economics, options: OffersOptions
) -> pd.DataFrame:
	"""Share of principal and of expected loss by state, held against the limit of the policy."""
	return measure_portfolio(
		loans,
		judged.lifetime_predictions,
		policy.find_scenario(economics),
		policy.targets.max_concentration,
		options.concentration,
	)


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
	checks = word_targets(targets, policy.name)
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
