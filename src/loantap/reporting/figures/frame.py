"""The frame of every figure, by Matplotlib's `Figure` itself: no pyplot, no global state."""

import base64
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loantap.portfolio.dictionary import SIMULATED

# Okabe and Ito's colours: told apart by colour-blind readers too, with line styles besides.
BLUE: Final = "#0072b2"
VERMILION: Final = "#d55e00"
GREEN: Final = "#00795c"
INK: Final = "#1c2530"
MUTED: Final = "#5b6673"
GRID: Final = "#e3e7ec"
_WARNING: Final = "#a61b1b"
_WIDTH_INCHES = 5.2
_HEIGHT_INCHES = 4.7


@dataclass(frozen=True, slots=True)
class Title:
	"""What a figure says about itself; `loans` is None where each curve has its own number in the legend."""

	namespace: str
	origin: str
	loans: int | None
	not_for_lending: bool

	@property
	def warnings(self) -> str:
		"""What the reader must know before reading on; may be empty."""
		said = ["SIMULATED DATA"] if self.origin == SIMULATED else []
		return " · ".join([*said, *(["not for lending"] if self.not_for_lending else [])])


def start_figure(subject: str, title: Title) -> tuple[Figure, Axes]:
	"""An empty figure with one pair of axes under its title."""
	figure = Figure(figsize=(_WIDTH_INCHES, _HEIGHT_INCHES), layout="constrained")
	axes = figure.add_subplot()
	_put_title(axes, subject, title)
	_dress(axes)
	return figure, axes


def start_stack(subject: str, title: Title, heights: tuple[float, ...]) -> tuple[Figure, list[Axes]]:
	"""A figure with axes of these heights, in inches, above each other over one x axis."""
	figure = Figure(figsize=(_WIDTH_INCHES, sum(heights)), layout="constrained")
	stack = list(figure.subplots(len(heights), sharex=True, height_ratios=heights))
	_put_title(stack[0], subject, title)
	for axes in stack:
		_dress(axes)
	return figure, stack


def draw_intervals(
	axes: Axes, at: pd.Series | pd.Index, value: pd.Series, bounds: tuple[pd.Series, pd.Series], **look: Any
) -> None:
	"""Points with their intervals; `look` is how Matplotlib's `errorbar` draws them."""
	# A bound may miss its own figure by a rounding error.
	below, above = (value - bounds[0]).clip(lower=0), (bounds[1] - value).clip(lower=0)
	axes.errorbar(at, value, yerr=[below, above], markersize=5, elinewidth=1.2, capsize=2.5, **look)


def _put_title(axes: Axes, subject: str, title: Title) -> None:
	lines = [title.namespace if title.loans is None else f"{title.namespace}, n = {title.loans:,}"]
	if title.warnings:
		lines.append(title.warnings)
	axes.set_title(subject, loc="left", color=INK, fontsize=12, fontweight="bold", pad=8 + 14 * len(lines))
	for height, line in enumerate(reversed(lines)):
		is_warning = line == title.warnings
		axes.annotate(
			line,
			xy=(0, 1),
			xytext=(0, 8 + 14 * height),
			xycoords="axes fraction",
			textcoords="offset points",
			color=_WARNING if is_warning else MUTED,
			fontsize=10,
			fontweight="bold" if is_warning else "normal",
		)


def _dress(axes: Axes) -> None:
	axes.grid(color=GRID, linewidth=0.8)
	axes.set_axisbelow(True)
	axes.spines[["top", "right"]].set_visible(False)
	axes.spines[["left", "bottom"]].set_color(MUTED)
	axes.tick_params(colors=MUTED)


def embed_svg(figure: Figure) -> str:
	"""Data URI of the figure as SVG: the same figure gives the same bytes."""
	written = BytesIO()
	# Ids of the salt are not random; outlines instead of text look the same with any fonts.
	with mpl.rc_context({"svg.hashsalt": "loantap", "svg.fonttype": "path"}):
		figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
	return "data:image/svg+xml;base64," + base64.b64encode(written.getvalue()).decode("ascii")
