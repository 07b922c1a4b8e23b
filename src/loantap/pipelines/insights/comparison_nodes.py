"""Nodes of the `insights` pipeline that compare policies."""

import pandas as pd

from loantap.model.scoring.judged import JudgedModel
from loantap.policy.comparison.comparison import decide_portfolio, list_approvals
from loantap.policy.comparison.tables import compare_policies as compare
from loantap.policy.money.scenarios import Economics
from loantap.policy.options import InsightsOptions


def compare_policies(
    judged: JudgedModel, loans: pd.DataFrame, splits: pd.DataFrame, economics: Economics, options: InsightsOptions
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Whom each policy approves, what it would have earned, and the frontier."""
    decided = decide_portfolio(judged.lifetime_predictions, loans, splits, economics, options.comparison)
    compared = compare(decided, economics, options.comparison, options.min_loans)
    return list_approvals(decided, economics), compared.policies, compared.frontier
