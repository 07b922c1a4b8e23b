"""Options of the fairness audit; `conf/base/parameters_insights.yml` explains them."""

from typing import Annotated

from pydantic import Field

from loantap.portfolio.options import Options


class FairnessOptions(Options):
  """The audit of policies, and what a fairer one costs.

  `four_fifths` is a rule of thumb of employment law (EEOC, Uniform Guidelines, 1978). `target_ratios` rise.
  """

  min_loans: Annotated[int, Field(ge=30)]
  four_fifths: Annotated[float, Field(gt=0, le=1)]
  target_ratios: Annotated[tuple[Annotated[float, Field(gt=0, le=1)], ...], Field(min_length=1)]
