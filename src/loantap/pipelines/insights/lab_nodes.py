"""Nodes of the policy lab."""

from typing import Any

import pandas as pd

from loantap.model.scoring.judged import JudgedModel
from loantap.policy.lab.backtest import backtest
from loantap.policy.lab.judged_loans import gather_judged_loans
from loantap.policy.lab.recommendations import report_rules
from loantap.policy.lab.search import list_candidates
from loantap.policy.money.scenarios import Economics
from loantap.policy.options import InsightsOptions
from loantap.portfolio.assembly import portfolio_origin


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
