"""The frame all pages share: one self-contained file, templates escaped by default."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from loantap import __version__
from loantap.portfolio.dictionary import SIMULATED
from loantap.reporting import formatting


def render_page(template: str, *, origin: str, script: str = "", **context: Any) -> str:
    """Render a page template into one HTML document that needs nothing beside it.

    Args:
        template: file name in `reporting/templates`.
        origin: origin of the data; when simulated, the page carries the banner that says so.
        script: file name in `reporting/templates` of what the page runs; nothing else may run.
        context: what the template shows; every value is escaped.

    Raises:
        jinja2.UndefinedError: the template names something that was not given.
    """
    return (
        _environment()
        .get_template(template)
        .render(
            origin=origin,
            is_simulated=origin == SIMULATED,
            produced_by=_produced_by(),
            script=script,
            script_digest=_digest(script) if script else "",
            **context,
        )
    )


def _digest(script: str) -> str:
    """What a content security policy knows a script by."""
    code = _environment().get_template(script).render()
    return base64.b64encode(hashlib.sha256(code.encode()).digest()).decode("ascii")


def _produced_by() -> str:
    return f"LoanTap underwriting {__version__}"


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
        formatting.p_value,
        formatting.capitalize_first,
        formatting.name_sample,
        formatting.hold_together,
        formatting.name_segmentation,
    ):
        environment.filters[worded.__name__] = worded
    environment.globals["percent_interval"] = formatting.percent_interval
    environment.globals["decimal_interval"] = formatting.decimal_interval
    return environment
