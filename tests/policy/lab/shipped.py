"""The policy lab of the shipped configuration."""

from pathlib import Path
from typing import Any

import yaml

from loantap.policy.lab.options import LabOptions

_FILE = Path(__file__).parents[3] / "conf" / "base" / "parameters_insights.yml"


def read_lab(**changed: Any) -> dict[str, Any]:
    written: dict[str, Any] = yaml.safe_load(_FILE.read_text("utf-8"))["insights"]["lab"]
    return written | changed


def make_lab(**changed: Any) -> LabOptions:
    return LabOptions.model_validate(read_lab(**changed))
