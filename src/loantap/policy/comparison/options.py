"""Options of the comparison of policies; `conf/base/parameters_insights.yml` explains them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveFloat, model_validator

from loantap.portfolio.options import Options

Cap = Annotated[float, Field(gt=0, lt=1)]


class ComparisonOptions(Options):
  """The policies that are compared, and the frontier; what is referred counts as declined."""

  caps: tuple[Cap, ...] = Field(min_length=1)
  shown_cap: Cap
  referred_share: Annotated[float, Field(gt=0, lt=1)]
  profit_score_penalty: PositiveFloat
  frontier_points: Annotated[int, Field(ge=2, le=200)]

  @model_validator(mode="after")
  def _is_consistent(self) -> ComparisonOptions:
    if len(set(self.caps)) < len(self.caps):
      raise ValueError("caps: one is given twice")
    if self.shown_cap not in self.caps:
      raise ValueError(f"shown_cap: {self.shown_cap:g} is not one of the caps")
    return self
