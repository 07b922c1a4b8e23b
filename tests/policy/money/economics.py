"""The scenarios of the shipped configuration."""

from datetime import date
from pathlib import Path
from typing import Any

import yaml

from loantap.policy.money.scenarios import Economics

_FILE = Path(__file__).parents[3] / "conf" / "base" / "parameters_economics.yml"


def read_economics(**changed: Any) -> dict[str, Any]:
    """The group as it is written, with the month of the portfolio in place of its reference."""
    written: dict[str, Any] = yaml.safe_load(_FILE.read_text("utf-8"))["economics"]
    return written | {"outcomes_as_of": date(2017, 3, 1)} | changed


def make_economics() -> Economics:
    return Economics.model_validate(read_economics())
