"""Options of measuring a model; validated, then frozen."""

from typing import Annotated

from pydantic import Field

from loantap.portfolio.options import DatedOptions, Portion, Seed


class EvaluationOptions(DatedOptions):
  """Uncertainty of the metrics: 95% bounds by a bootstrap, ECE over equal-count bins.

  For `max_instalment_exceptions`, of an external sample, see `SourcesOptions`.
  """

  seed: Seed
  resamples: Annotated[int, Field(ge=100)]
  calibration_bins: Annotated[int, Field(ge=2)]
  max_instalment_exceptions: Portion = 0.1
