"""The scenarios of the shipped configuration."""

from datetime import date
from typing import Any

from loantap.policy.money.cash_flows import Economics
from tests.policy.shipped import read_shipped


def read_economics(**changed: Any) -> dict[str, Any]:
  """The group as it is written, with the month of the portfolio in place of its reference."""
  return read_shipped("economics", outcomes_as_of=date(2017, 3, 1)) | changed


def make_economics() -> Economics:
  return Economics.model_validate(read_economics())
