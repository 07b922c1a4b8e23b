"""The frontier of policies, with names of its points that never stand over one another."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import altair as alt
import pandas as pd

from loantap.reporting.charts.frame import INK, MUTED, colour_by, dress_chart, hover
from loantap.reporting.formatting import count, list_rows, money, percent, with_interval

# Pixels: of a letter, of a line, from a point to its name, and of a point itself.
_LETTER: Final = 6.8
_LINE: Final = 14.0
_GAP: Final = 8.0
_RADIUS: Final = 5.0
# Of the plot, on a desk and on a phone.
_DESK: Final = 960.0
_PHONE: Final = 290.0


@dataclass(frozen=True, slots=True)
class Place:
	"""Where a name stands: its end nearest to the point, `dx` and `dy` pixels from there; `is_wide`: on a desk only."""

	align: str
	dx: float
	dy: float
	is_wide: bool = False


class Box(NamedTuple):
	"""A rectangle in pixels, from the left and from the top."""

	left: float
	top: float
	right: float
	bottom: float

	def meets(self, other: Box) -> bool:
		"""Whether both overlap."""
		return self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom


_PLACES: Final = tuple(
	Place(align, dx, dy)
	for dy in (-8.0, 10.0, 0.0, -22.0, 24.0)
	for align, dx in (("left", _GAP), ("right", -_GAP), ("center", 0.0))
	if (align, dy) != ("center", 0.0)
)


def place_names(
	names: Sequence[str], at: Sequence[tuple[float, float]], height: float, sides: Mapping[str, str] | None = None
) -> list[Place | None]:
	"""A place for each name, those first that come first; None where there is no room.

	`at` is across and up, as shares of the plot's width and `height`, in pixels; `sides` gives, by name, the `align`
	tried first.
	"""
	points = {width: [_dot(*spot, width, height) for spot in at] for width in (_DESK, _PHONE)}
	taken: dict[float, list[Box]] = {width: [] for width in points}
	placed: list[Place | None] = []
	for name, spot in zip(names, at, strict=True):
		first = (sides or {}).get(name, "left")
		found = None
		for place, boxes in _list_places(name, spot, height, first):
			free = {
				width: not any(box.meets(other) for other in (*taken[width], *points[width]))
				and box.left >= 0
				and box.right <= width
				for width, box in boxes.items()
			}
			if all(free.values()):
				found = place
				break
			if free[_DESK] and found is None:
				found = Place(place.align, place.dx, place.dy, is_wide=True)
		placed.append(found)
		if found is not None:
			boxes = _cover(name, spot, found, height)
			taken[_DESK].append(boxes[_DESK])
			if not found.is_wide:
				taken[_PHONE].append(boxes[_PHONE])
	return placed


def _list_places(
	name: str, spot: tuple[float, float], height: float, first: str
) -> Iterator[tuple[Place, dict[float, Box]]]:
	for place in sorted(_PLACES, key=lambda place: place.align != first):
		yield place, _cover(name, spot, place, height)


def _cover(name: str, spot: tuple[float, float], place: Place, height: float) -> dict[float, Box]:
	length = _LETTER * len(name)
	begins = {"left": 0.0, "right": -length, "center": -length / 2}[place.align]
	middle = (1 - spot[1]) * height + place.dy
	boxes = {}
	for width in (_DESK, _PHONE):
		left = spot[0] * width + place.dx + begins
		boxes[width] = Box(left, middle - _LINE / 2, left + length, middle + _LINE / 2)
	return boxes


def _dot(across: float, up: float, width: float, height: float) -> Box:
	x, y = across * width, (1 - up) * height
	return Box(x - _RADIUS, y - _RADIUS, x + _RADIUS, y + _RADIUS)


_FAMILIES: Final = {
	"npv_hurdle": "Expected NPV above a hurdle",
	"profit_score_hurdle": "Profit score above a hurdle",
	"capped_default_rate": "Expected default rate at most a cap",
	"pd_cutoff": "PD below a cut-off",
}
# Names beside points of their own, and on which side if there is room; the first have the choice.
_POINTS: Final = {
	"npv": ("expected NPV", "left"),
	"approve_all": ("everybody", "left"),
	"bands": ("top tenth declined", "right"),
	"f2_threshold": ("F2 threshold", "left"),
	"grade_term_npv": ("grade by term", "left"),
}
_CAP_SIDE: Final = "right"
# Below this a plot has no room for the names that `place_names` calls wide, in pixels.
_NARROW: Final = 700
_TOLD: Final = ("Policy", "Approved", "Default rate of approved", "Profit per application", "n")
_CAPPED: Final = "capped_default_rate"
_PAID_LIVES: Final = {"contractual": "to the end of their term", "capped": "prepaid"}
# A phone has room for these.
_PAID_LIVES_IN_TITLE: Final = {"contractual": "whole term", "capped": "prepaid"}
_HEIGHT: Final = 340
# A name on a ground of the page's colour, so that lines do not cross it.
_LOOKS: Final[Sequence[Mapping[str, Any]]] = (
	{"color": "var(--card)", "stroke": "var(--card)", "strokeWidth": 4, "opacity": 0.8},
	{"color": INK},
)


def chart_frontier(frontier: pd.DataFrame, outlook: tuple[str, str], scenarios: Sequence[str]) -> alt.LayerChart:
	"""Profit per application against the default rate among approved loans.

	Takes one row per point, as the frontier of policies has it. Readers choose scenario and paid life; those of `outlook`
	are shown first.
	"""
	shown = _word(frontier)
	lines = shown[shown["family"].isin(_FAMILIES) & ~shown["is_policy"]]
	lines = lines.assign(series=lines["family"].map(_FAMILIES))
	points = _name_points(shown[shown["is_policy"]], lines)
	chosen = [
		alt.param(name=name, value=first, bind=alt.binding_radio(options=options, labels=labels, name=f"{heading}: "))
		for name, first, options, labels, heading in (
			("scenario", outlook[0], list(scenarios), list(scenarios), "Scenario"),
			("paid_life", outlook[1], list(_PAID_LIVES), list(_PAID_LIVES.values()), "Paid loans"),
		)
	]
	is_chosen = "datum.scenario == scenario && datum.paid_life == paid_life"
	# One scale for every choice, so that a change of scenario can be seen.
	rates = pd.concat([lines, points])["default_rate_approved"].agg(["min", "max"]).tolist()
	x = alt.X(
		"default_rate_approved:Q",
		title="Default rate among approved loans",
		axis=alt.Axis(format=".0%"),
		scale=alt.Scale(domain=rates, nice=True),
	)
	y = alt.Y("profit:Q", title="Imputed profit per application", axis=alt.Axis(format=",.0f"))
	colour = colour_by("series", list(_FAMILIES.values()))
	base = alt.Chart(lines).transform_filter(is_chosen)
	policies = alt.Chart(points).transform_filter(is_chosen)
	layers = [
		base.mark_rule(opacity=0.25, strokeWidth=2).encode(x, alt.Y("profit_low:Q", title=""), colour, y2="profit_high:Q"),
		base.mark_line(strokeWidth=2, point={"size": 30}).encode(x, y, colour, order="path:Q", tooltip=hover(*_TOLD)),
		alt.Chart(pd.DataFrame({"y": [0]})).mark_rule(color=MUTED).encode(y="y:Q"),
		policies.mark_point(filled=True, size=80, color=INK, opacity=1).encode(x, y, tooltip=hover(*_TOLD)),
		*(_write_names(policies, **look).encode(x, y, text="name:N") for look in _LOOKS),
	]
	layers[0] = layers[0].add_params(*chosen)
	# The choice is said above the chart too: it is printed, its buttons are not.
	lives = json.dumps(_PAID_LIVES_IN_TITLE)
	told = f"'Scenario ' + scenario + ', paid loans: ' + ({lives})[paid_life]"
	title = alt.TitleParams(alt.ExprRef(told), anchor="start", color=INK, fontSize=13)
	return dress_chart(layers, height=_HEIGHT).properties(title=title)


def _name_points(policies: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
	is_cap = policies["family"].str.startswith(_CAPPED)
	points = policies[policies["family"].isin(_POINTS) | is_cap]
	named = [
		(f"cap {hurdle:.0%}", _CAP_SIDE) if family.startswith(_CAPPED) else _POINTS[family]
		for family, hurdle in zip(points["family"].astype(str), points["hurdle"], strict=True)
	]
	order = list(_POINTS)
	points = points.assign(
		name=[name for name, _ in named], turn=[order.index(f) if f in order else len(order) for f in points["family"]]
	)
	across = pd.concat([lines, points])["default_rate_approved"]
	sides = dict(named)
	charts = [
		_place_in_chart(group.sort_values("turn", kind="stable"), lines, across, sides)
		for _, group in points.groupby(["scenario", "paid_life"], sort=False)
	]
	placed = pd.concat(charts).sort_index() if charts else points.assign(**_look_of(None))
	return placed.drop(columns="turn")


def _place_in_chart(
	points: pd.DataFrame, lines: pd.DataFrame, across: pd.Series, sides: Mapping[str, str]
) -> pd.DataFrame:
	first = points.iloc[0]
	beside = lines[lines["scenario"].eq(first["scenario"]) & lines["paid_life"].eq(first["paid_life"])]
	ends = pd.concat([points["profit"], beside["profit_low"], beside["profit_high"]])
	low, high = min(float(ends.min()), 0.0), max(float(ends.max()), 0.0)
	left, right = float(across.min()), float(across.max())
	spots = [
		((rate - left) / ((right - left) or 1), (profit - low) / ((high - low) or 1))
		for rate, profit in zip(points["default_rate_approved"], points["profit"], strict=True)
	]
	places = place_names(points["name"].tolist(), spots, _HEIGHT, sides)
	looks = pd.DataFrame([_look_of(place) for place in places], index=points.index)
	return pd.concat([points, looks], axis=1)


def _look_of(place: Place | None) -> dict[str, Any]:
	if place is None:
		return {"align": "left", "dx": 0.0, "dy": 0.0, "room": "none"}
	room = "desk" if place.is_wide else "any"
	return {"align": place.align, "dx": place.dx, "dy": place.dy, "room": room}


def _write_names(policies: alt.Chart, **look: Any) -> alt.Chart:
	has_room = f"datum.room == 'any' || datum.room == 'desk' && width > {_NARROW}"
	named: alt.Chart = policies.transform_filter(has_room).mark_text(
		align=alt.ExprRef("datum.align"),
		dx=alt.ExprRef("datum.dx"),
		dy=alt.ExprRef("datum.dy"),
		baseline="middle",
		fontSize=12,
		**look,
	)
	return named


def _word(frontier: pd.DataFrame) -> pd.DataFrame:
	shown = frontier[frontier["sample"].eq("cv") & frontier["default_rate_approved"].notna()]
	told = [
		{
			"Policy": str(row["label"]),
			"Approved": percent(row["approval_rate"]),
			"Default rate of approved": with_interval(row, "default_rate_approved", percent),
			"Profit per application": with_interval(row, "profit", money),
			"n": count(row["n"]),
		}
		for row in list_rows(shown)
	]
	figures = [
		"family",
		"is_policy",
		"label",
		"hurdle",
		"scenario",
		"paid_life",
		"default_rate_approved",
		"profit",
		"profit_low",
		"profit_high",
	]
	# A line goes from its strictest point to its widest: by its cap, or by the share approved.
	path = shown["hurdle"].where(shown["family"].eq(_CAPPED), shown["approval_rate"])
	words = pd.DataFrame(told, index=shown.index, columns=list(_TOLD))
	hurdle = shown["hurdle"].where(shown["is_policy"])
	return pd.concat([shown[figures].assign(path=path, hurdle=hurdle), words], axis=1)
