"""Options of findings; `conf/base/parameters_insights.yml` explains them."""

from typing import Annotated

from pydantic import Field, PositiveInt

from loantap.portfolio.options import Options


class FindingsOptions(Options):
  """When a finding is told, and how factors are binned.

  Attributes:
      min_outcomes: a segment is judged when, at the default rate of the portfolio, at least so many of its loans, and
          of all others, would be charged off and so many paid back.
      min_outcomes_per_coefficient: charge-offs, and paid loans, that the portfolio must have for each coefficient of
          the adjusting regression; real loans have some 90. Where outcomes are random, 1 for each finds what is not
          there in 23% of portfolios; 3 a segment in 4% and a factor in 5%.
  """

  min_outcomes: PositiveInt
  min_outcomes_per_year: PositiveInt
  min_outcomes_per_coefficient: PositiveInt
  false_discovery_rate: Annotated[float, Field(gt=0, lt=1)]
  max_bins: Annotated[int, Field(ge=2, le=20)]
  binning_seconds: Annotated[int, Field(ge=1, le=60)]
