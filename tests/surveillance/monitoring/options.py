"""The options that ship."""

from pathlib import Path

import yaml

from loantap.surveillance.monitoring.options import MonitoringOptions

_SHIPPED = Path(__file__).parents[3] / "conf/base/parameters_monitoring.yml"


def read_options(**changes):
	content = yaml.safe_load(_SHIPPED.read_text("utf-8"))["monitoring"]
	return MonitoringOptions.model_validate(content | {"as_of": "2026-11-30", **changes})
