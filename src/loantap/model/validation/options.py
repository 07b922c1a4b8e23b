"""Options of measuring a model; validated, then frozen."""

from typing import Annotated

from pydantic import Field

from loantap.portfolio.options import DatedOptions, Portion, Seed


class EvaluationOptions(DatedOptions):
    """Uncertainty of the metrics.

    Attributes:
        resamples: of the bootstrap behind the 95% bounds.
        calibration_bins: equal-count bins of the expected calibration error.
        max_instalment_exceptions: see `SourcesOptions`; of an external sample.
    """

    seed: Seed
    resamples: Annotated[int, Field(ge=100)]
    calibration_bins: Annotated[int, Field(ge=2)]
    max_instalment_exceptions: Portion = 0.1
