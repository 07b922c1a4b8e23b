"""The frame all pages share."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from loantap import __version__
from loantap.portfolio.dictionary import SIMULATED
from loantap.reporting import formatting
from loantap.reporting.charts.inline import write_spec


def render_page(template: str, *, origin: str, scripts: Sequence[str] = (), **context: Any) -> str:
  """Render a template of `reporting/templates` as one HTML document that loads nothing.

  It warns of simulated data in a banner. No code but `scripts` may run. `context` is escaped.

  Raises:
      jinja2.UndefinedError: the template names something that was not given.
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
  return environment
