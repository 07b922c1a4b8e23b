"""Groups of parameters of the shipped configuration, with changes."""

from typing import Any

import yaml

from tests.conftest import PROJECT


def read_shipped(group: str, **changed: Any) -> dict[str, Any]:
  text = (PROJECT / f"conf/base/parameters_{group}.yml").read_text("utf-8")
  written: dict[str, Any] = yaml.safe_load(text)[group]
  return written | changed
