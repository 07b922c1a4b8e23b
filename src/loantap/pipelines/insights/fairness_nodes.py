"""Nodes of the `insights` pipeline that audit policies by proxy groups."""

from __future__ import annotations

import pandas as pd

from loantap.model.scoring.judged import JudgedModel
from loantap.policy.fairness import frontier, policy_audit
from loantap.policy.money.scenarios import Economics
from loantap.policy.options import InsightsOptions


def audit_policies(
    judged: JudgedModel, approvals: pd.DataFrame, loans: pd.DataFrame, options: InsightsOptions
) -> pd.DataFrame:
    """What each policy does to each group of borrowers."""
    rows = policy_audit.join_approvals(judged.predictions, approvals, loans)
    policies = policy_audit.list_policies(approvals)
    return policy_audit.audit_policies(rows, policies, options.fairness)


def price_fairness(
    judged: JudgedModel,
    approvals: pd.DataFrame,
    loans: pd.DataFrame,
    profits: pd.DataFrame,
    economics: Economics,
    options: InsightsOptions,
) -> pd.DataFrame:
    """The least imputed profit that it costs to approve the groups of a proxy alike."""
    rows = policy_audit.join_approvals(judged.predictions, approvals, loans)
    return frontier.price_fairness(rows, profits, economics, options.fairness)
