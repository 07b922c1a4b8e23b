"""The frame all pages share, and charts inside it."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import altair as alt
import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from loantap import __version__
from loantap.portfolio.dictionary import SIMULATED
from loantap.reporting import formatting
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


def render_page(template: str, *, origin: str, scripts: Sequence[str] = (), **context: Any) -> str:
	"""Render a template of `reporting/templates` as one HTML document that loads nothing.

	It warns of simulated data in a banner. No code but `scripts` may run. `context` is escaped; what the template names
	and was not given raises `jinja2.UndefinedError`.
	"""
	return (
		_environment()
		.get_template(template)
		.render(
			origin=origin,
			is_simulated=origin == SIMULATED,
			produced_by=f"LoanTap underwriting {__version__}",
			# Not escaped: a script element ends at its end tag and knows no entities.
			scripts=[Markup(code) for code in scripts],  # noqa: S704 - our own code
			script_digests=[digest_script(code) for code in scripts],
			**context,
		)
	)


def read_script(name: str) -> str:
	"""The code of a script in `reporting/templates`."""
	return _environment().get_template(name).render()


def digest_script(code: str) -> str:
	"""What a page's policy knows a script by: SHA-256, in base64."""
	return base64.b64encode(hashlib.sha256(code.encode()).digest()).decode("ascii")


@cache
def _environment() -> Environment:
	environment = Environment(
		loader=PackageLoader("loantap.reporting"),
		autoescape=True,
		undefined=StrictUndefined,
		trim_blocks=True,
		lstrip_blocks=True,
	)
	for worded in (
		formatting.percent,
		formatting.count,
		formatting.decimal,
		formatting.signed,
		formatting.money,
		formatting.p_value,
		formatting.capitalize_first,
		formatting.name_sample,
		formatting.hold_together,
		formatting.name_segmentation,
	):
		environment.filters[worded.__name__] = worded
	environment.filters["spec"] = lambda spec: Markup(write_spec(spec))  # noqa: S704 - escaped
	environment.globals["percent_interval"] = formatting.percent_interval
	environment.globals["decimal_interval"] = formatting.decimal_interval
	for name in ("card/parts", "plots"):
		environment.globals[name.rpartition("/")[2]] = environment.get_template(f"{name}.html").module
	return environment
