"""The assumptions about money that a decision rests on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from loantap.portfolio.options import Options, Portion


class PaidLife(StrEnum):
  """How long a loan that is paid back is taken to have run."""

  CONTRACTUAL = "contractual"
  CAPPED = "capped"


class Range(Options):
  """The source of an assumption, and its lowest and highest plausible value, in its unit."""

  low: float
  high: float
  source: str

  @model_validator(mode="after")
  def _is_ordered(self) -> Range:
    if self.low > self.high:
      raise ValueError(f"low {self.low:g} is above high {self.high:g}")
    return self


class Scenario(Options):
  """What lending costs.

  Attributes:
      cost_of_funds_pct: nominal yearly rate, in percent; cash flows are discounted at it, month by month.
      loss_given_default: LGD, the share of the balance at default that is never recovered.
      default_at_share_of_term: when a loan that is charged off stops paying.
      origination_cost_share: as a share of the principal.
      paid_share_of_term: when a loan that is paid back is settled, later than a default; 1 where nobody prepays.
  """

  cost_of_funds_pct: Annotated[float, Field(ge=0, le=50)]
  loss_given_default: Portion
  default_at_share_of_term: Annotated[float, Field(gt=0, le=1)]
  origination_cost_share: Annotated[float, Field(ge=0, le=0.2)]
  paid_share_of_term: Annotated[float, Field(gt=0, le=1)] = 1.0

  @model_validator(mode="after")
  def _is_settled_after_defaults(self) -> Scenario:
    stops, settled = self.default_at_share_of_term, self.paid_share_of_term
    if stops >= settled:
      raise ValueError(
        f"default_at_share_of_term {stops:g} is not below paid_share_of_term {settled:g}: a loan that is "
        "charged off would not stop paying before one that is paid back is settled, so that a riskier loan "
        "could be worth more. Lower the one or raise the other"
      )
    return self


class Economics(Options):
  """The scenarios by name, from the mildest to the hardest, and what of them is known.

  No paid loan has run beyond `outcomes_as_of`; `ranges` say where each assumption comes from.
  """

  scenarios: Mapping[str, Scenario] = Field(min_length=1)
  main: str
  outcomes_as_of: date
  ranges: Mapping[str, Range]

  @model_validator(mode="after")
  def _is_whole(self) -> Economics:
    if self.main not in self.scenarios:
      raise ValueError(f"main: there is no scenario {self.main}; give one of {', '.join(self.scenarios)}")
    unknown = set(self.ranges) ^ set(Scenario.model_fields)
    if unknown:
      raise ValueError(f"ranges: {', '.join(sorted(unknown))} is unknown, or has no range")
    for scenario, assumed in self.scenarios.items():
      for name, allowed in self.ranges.items():
        value = getattr(assumed, name)
        if not allowed.low <= value <= allowed.high:
          raise ValueError(
            f"scenarios.{scenario}.{name}: {value:g} is outside of the range from "
            f"{allowed.low:g} to {allowed.high:g} ({allowed.source})"
          )
    return self

  @property
  def main_scenario(self) -> Scenario:
    """The scenario that pages speak of first."""
    return self.scenarios[self.main]
