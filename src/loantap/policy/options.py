"""What a person may set about insights and scoring; validated, then frozen."""

from __future__ import annotations

from pydantic import PositiveInt

from loantap.policy.decisions import Policy
from loantap.policy.fairness.options import FairnessOptions
from loantap.portfolio.options import DatedOptions, Portion


class InsightsOptions(DatedOptions):
    """Segments and recommendations.

    Attributes:
        min_loans: segments with fewer are put together.
        max_recommendations: credit statements given, one per segmentation.
        fairness: the audit of policies.
    """

    min_loans: PositiveInt
    max_recommendations: PositiveInt
    fairness: FairnessOptions


class ScoringOptions(DatedOptions):
    """Batch scoring.

    Attributes:
        policy: the decision policy in force.
        max_invalid_share: share of a file's rows that may be invalid; with more, nothing is
            published. See `require_few_invalid`.
    """

    policy: Policy
    max_invalid_share: Portion = 0.05
