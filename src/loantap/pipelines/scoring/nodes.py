"""Nodes of the `scoring` pipeline."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial

import pandas as pd

from loantap.model.scorer import Scorer
from loantap.policy.options import ScoringOptions
from loantap.policy.underwriting import APPLICATION_ID, SCORE_COLUMNS, Underwriter, date_decisions
from loantap.tables.rows import Batches, MappedFile, Rows

logger = logging.getLogger(__name__)


def score_applications(
    applications: Rows, scorer: Scorer, options: ScoringOptions
) -> Iterator[pd.DataFrame | MappedFile]:
    """PD, score, decision and reasons, one row per application, in the order given."""
    underwriter = Underwriter(scorer, options.policy)
    underwrite = partial(underwriter.underwrite_batch, as_of=options.day)
    yield from applications.map(underwrite, underwriter.columns)


def publish_decisions(
    scores: Batches, applications: Rows, options: ScoringOptions
) -> Iterator[pd.DataFrame]:
    """The run's decisions for the warehouse; none where applications have no ids of their own."""
    if APPLICATION_ID not in applications.columns:
        # Row numbers of one file would take the place of another's.
        logger.info("The file has no %s: its decisions are not written back", APPLICATION_ID)
        return
    for batch in scores.read(SCORE_COLUMNS):
        yield date_decisions(batch, options.day)
