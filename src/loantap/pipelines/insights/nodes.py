"""Nodes of the `insights` pipeline that compute."""

from typing import Any

import pandas as pd

from loantap.model.training.predictions import CROSS_VALIDATION
from loantap.model.validation.evaluation import JudgedModel
from loantap.policy.comparison.comparison import decide_portfolio, list_approvals
from loantap.policy.comparison.frontier import compare_policies as compare
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
from loantap.policy.money.cash_flows import Economics
from loantap.policy.money.returns import tabulate_profits
from loantap.policy.offers.concentration import measure_portfolio
from loantap.policy.offers.products import estimate_counterfactuals as estimate
from loantap.policy.offers.products import tabulate_products as tabulate
from loantap.policy.options import InsightsOptions, OffersOptions
from loantap.policy.targets import check_targets, decide_loans, tabulate_targets
from loantap.portfolio.assembly import portfolio_origin
from loantap.reporting.eda_page import render_eda as render_exploration


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
