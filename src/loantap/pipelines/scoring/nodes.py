"""Nodes of the `scoring` pipeline."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from loantap.model.scorer import Scorer
from loantap.policy.options import ScoringOptions
from loantap.policy.underwriting import Rows, Underwriter


def score_applications(
    applications: Rows, scorer: Scorer, options: ScoringOptions
) -> Iterator[pd.DataFrame]:
    """PD, score, decision and reasons, one row per application, in the order given, in batches."""
    underwriter = Underwriter(scorer, options.policy)
    batches = applications.read(underwriter.columns)
    yield from underwriter.underwrite_batches(batches, options.day)
