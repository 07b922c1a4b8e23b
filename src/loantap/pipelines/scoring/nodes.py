"""Nodes of the `scoring` pipeline."""

from __future__ import annotations

import pandas as pd

from loantap.model.scorer import Scorer
from loantap.policy.decisions import underwrite
from loantap.policy.options import ScoringOptions


def score_applications(
    applications: pd.DataFrame, scorer: Scorer, options: ScoringOptions
) -> pd.DataFrame:
    """PD, decision and reasons, one row per application, in the order given."""
    return underwrite(applications, scorer, options.policy, options.day)
