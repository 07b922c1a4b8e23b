"""The options of the `insights` pipeline of the shipped configuration."""

from pathlib import Path
from typing import Any

import yaml

_FILE = Path(__file__).parents[2] / "conf" / "base" / "parameters_insights.yml"


def read_insights(**changed: Any) -> dict[str, Any]:
    written: dict[str, Any] = yaml.safe_load(_FILE.read_text("utf-8"))["insights"]
    return written | {"as_of": "2026-11-23"} | changed
