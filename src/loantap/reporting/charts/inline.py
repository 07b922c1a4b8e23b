"""Charts inside a self-contained page."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import altair as alt
import vl_convert

from loantap.reporting.charts.frame import to_spec


@dataclass(frozen=True, slots=True)
class PageChart:
  """A chart as a page shows it, with its number of loans."""

  anchor: str
  heading: str
  loans: int
  caption: str
  chart: alt.LayerChart

  @property
  def spec(self) -> dict[str, Any]:
    """The Vega-Lite specification."""
    return to_spec(self.chart)


@cache
def bundle_vega() -> str:
  """Vega, Vega-Lite and Vega-Embed as one script of about 0.9 MB."""
  return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")


def write_spec(spec: dict[str, Any]) -> str:
  """A specification as JSON that can stand inside a script element."""
  return json.dumps(spec, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
