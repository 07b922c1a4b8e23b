"""Options of offers as shipped, with changes."""

from typing import Any

from loantap.policy.money.cash_flows import Scenario
from loantap.policy.offers.options import OffersOptions
from tests.policy.shipped import read_shipped

SHIPPED = read_shipped("offers", as_of="2026-11-23")
MID = Scenario(cost_of_funds_pct=7, loss_given_default=0.7, default_at_share_of_term=0.4, origination_cost_share=0.01)


def options(**changes: Any) -> OffersOptions:
  given = {name: SHIPPED[name] | value if isinstance(value, dict) else value for name, value in changes.items()}
  return OffersOptions.model_validate(SHIPPED | given)


def bands(*edges: tuple[float, float, float, float]) -> list[dict[str, float]]:
  """Rate bands: above which PD, up to which, lowest and highest rate."""
  names = ("above_pd", "up_to_pd", "lowest_pct", "highest_pct")
  return [dict(zip(names, edge, strict=True)) for edge in edges]
