"""The node of the `insights` pipeline that audits policies."""

import pandas as pd

from loantap.model.scoring.judged import JudgedModel
from loantap.policy.fairness import policy_audit
from loantap.policy.fairness.frontier import price_fairness
from loantap.policy.money.scenarios import Economics
from loantap.policy.options import InsightsOptions


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
