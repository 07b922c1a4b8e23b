"""What a person may set about insights and scoring; validated, then frozen."""

from __future__ import annotations

from pydantic import PositiveInt

from loantap.portfolio.options import DatedOptions, Portion


class InsightsOptions(DatedOptions):
    """Segments and recommendations.

    Attributes:
        min_loans: segments with fewer are put together.
        max_recommendations: credit statements given, one per segmentation.
    """

    min_loans: PositiveInt
    max_recommendations: PositiveInt


class ScoringOptions(DatedOptions):
    """Batch scoring.

    Attributes:
        max_invalid_share: share of a file's rows that may be invalid; with more, nothing is
            published. See `require_few_invalid`.
    """

    max_invalid_share: Portion = 0.05
