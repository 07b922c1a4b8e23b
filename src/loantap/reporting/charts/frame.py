"""What every chart shares: width, colours, and the fonts of the page, light or dark."""

from collections.abc import Mapping
from typing import Any, Final

import altair as alt

INK: Final = "var(--ink)"
MUTED: Final = "var(--muted)"
GRID: Final = "var(--line)"
# In the order in which a chart of several series uses them; lighter in `insights.css` where the page is dark.
SERIES: Final = ("var(--s1)", "var(--s2)", "var(--s3)", "var(--s4)", "var(--s5)")
ROW_HEIGHT: Final = 26


def dress_chart(layers: list[alt.Chart], *, height: int) -> alt.LayerChart:
	"""Layers from back to front, as wide as the page lets them be; `height` is in pixels."""
	chart: alt.LayerChart = (
		alt.layer(*layers)
		.properties(width="container", height=height)
		.configure(
			background="transparent",
			font="system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif",
			autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
			padding=4,
			view=alt.ViewConfig(stroke=None),
			axis=alt.AxisConfig(
				labelColor=MUTED,
				titleColor=MUTED,
				gridColor=GRID,
				domainColor=GRID,
				tickColor=GRID,
				labelFontSize=12,
				titleFontSize=12,
				titleFontWeight="normal",
				tickCount=8,
				labelLimit=150,
			),
			legend=alt.LegendConfig(
				orient="bottom",
				columns=1,
				labelColor=INK,
				labelFontSize=12,
				labelLimit=320,
				symbolOpacity=1,
				symbolType="circle",
				title=None,
			),
		)
	)
	return chart


def colour_by(field: str, names: list[str]) -> alt.Color:
	"""Colour of a series, one of each name, in the order of the names."""
	scale = alt.Scale(domain=names, range=list(SERIES[: len(names)]))
	return alt.Color(f"{field}:N", scale=scale)


def hover(*fields: str, first: tuple[str, str] | None = None) -> list[alt.Tooltip]:
	"""What a mark says when it is pointed at: text titled by its name; `first` comes with a title of its own."""
	named = [] if first is None else [alt.Tooltip(f"{first[0]}:N", title=first[1])]
	return [*named, *(alt.Tooltip(f"{field}:N") for field in fields)]


def to_spec(chart: alt.LayerChart) -> dict[str, Any]:
	"""The chart as a Vega-Lite specification with its rows in it.

	Six significant digits, and data sets called by their place: runs give the same bytes.
	"""
	spec: dict[str, Any] = chart.to_dict()
	names = {name: f"rows-{place}" for place, name in enumerate(spec["datasets"])}
	settled: dict[str, Any] = _settle(spec, names)
	return settled


def _settle(value: Any, names: Mapping[str, str]) -> Any:
	match value:
		case dict():
			return {names.get(key, key): _settle(inner, names) for key, inner in value.items()}
		case list():
			return [_settle(inner, names) for inner in value]
		case float():
			return float(f"{value:.6g}")
		case str():
			return names.get(value, value)
	return value
