"""The reports' colours for Streamlit, its charts and our own HTML."""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

import altair as alt

from loantap.reporting.charts.frame import to_spec

Theme = Literal["light", "dark"]
THEMES: Final[tuple[Theme, ...]] = ("light", "dark")

_ROOT: Final = re.compile(r":root\s*\{([^}]*)\}")
_VARIABLE: Final = re.compile(r"(--[a-z0-9-]+):\s*(#[0-9a-fA-F]{6})")
_USE: Final = re.compile(r"var\((--[a-z0-9-]+)\)")
_FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
# Streamlit's names for the style sheet's.
_STREAMLIT: Final = {
	"primaryColor": "--link",
	"backgroundColor": "--page",
	"secondaryBackgroundColor": "--card",
	"textColor": "--ink",
	"linkColor": "--link",
	"borderColor": "--line",
	"dataframeBorderColor": "--line",
	"redColor": "--warn-line",
	"redTextColor": "--warn-ink",
	"redBackgroundColor": "--warn-page",
	"greenColor": "--below",
	"greenBackgroundColor": "--good-page",
	"grayColor": "--near",
	"grayBackgroundColor": "--plain-page",
}


@cache
def read_palette(theme: Theme) -> Mapping[str, str]:
	"""The colours of the reports by variable, such as `--ink`."""
	templates = resources.files("loantap.reporting") / "templates"
	colours: dict[str, str] = {}
	for sheet in ("style.css", "insights.css"):
		blocks = _ROOT.findall((templates / sheet).read_text("utf-8"))
		for block in blocks[: 1 if theme == "light" else 2]:
			colours |= dict(_VARIABLE.findall(block))
	return colours


def list_theme_options() -> dict[str, str]:
	"""Streamlit's options for the reports' look, light and dark."""
	options = {
		"theme.font": _FONT,
		"theme.headingFont": _FONT,
		"theme.baseFontSize": "16",
		"theme.baseRadius": "8px",
		"theme.showWidgetBorder": "true",
		"theme.headingFontSizes": "1.75rem,1.3rem,1.1rem,1rem,1rem,1rem",
	}
	for theme in THEMES:
		palette = read_palette(theme)
		options |= {f"theme.{theme}.{name}": palette[of] for name, of in _STREAMLIT.items()}
		options[f"theme.{theme}.sidebar.backgroundColor"] = palette["--card"]
		options[f"theme.{theme}.sidebar.secondaryBackgroundColor"] = palette["--page"]
	return options


def write_style(theme: Theme | None) -> str:
	"""A style element with a theme's colours, or the system's where unknown."""
	sheet = (resources.files("loantap.serving.dashboard") / "templates" / "dashboard.css").read_text("utf-8")
	colours = _write_root(theme or "light")
	if theme is None:
		colours += f"@media (prefers-color-scheme: dark) {{ {_write_root('dark')} }}"
	return f"<style>{colours}{sheet}</style>"


def colour_chart(chart: alt.LayerChart, theme: Theme | None) -> dict[str, Any]:
	"""A chart with colours as values: a canvas knows no variables."""
	palette = read_palette(theme or "light")
	spec: dict[str, Any] = _resolve(to_spec(chart), palette)
	return spec


def _write_root(theme: Theme) -> str:
	colours = "".join(f"{name}:{value};" for name, value in read_palette(theme).items())
	return f":root {{{colours}}}"


def _resolve(value: Any, palette: Mapping[str, str]) -> Any:
	match value:
		case dict():
			return {key: _resolve(inner, palette) for key, inner in value.items()}
		case list():
			return [_resolve(inner, palette) for inner in value]
		case str():
			return _USE.sub(lambda used: palette[used[1]], value)
		case _:
			return value
