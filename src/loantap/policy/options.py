"""Options of insights and scoring."""

from pydantic import PositiveInt

from loantap.policy.comparison.options import ComparisonOptions
from loantap.policy.fairness.options import FairnessOptions
from loantap.policy.findings.options import FindingsOptions
from loantap.policy.lab.options import LabOptions
from loantap.portfolio.options import DatedOptions, Portion


class InsightsOptions(DatedOptions):
  """What the portfolio says of policy; segments below `min_loans` are put together."""

  min_loans: PositiveInt
  comparison: ComparisonOptions
  fairness: FairnessOptions
  findings: FindingsOptions
  lab: LabOptions


class ScoringOptions(DatedOptions):
  """Batch scoring; `recommendations` are ids of the rules of `recommendations.json` that are switched on."""

  max_invalid_share: Portion = 0.05
  recommendations: tuple[str, ...] = ()
