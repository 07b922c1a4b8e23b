"""Drivers of default, the policy lab, the price of fairness."""

from textwrap import wrap
from typing import Final

import altair as alt
import pandas as pd

from loantap.reporting.charts.frame import INK, MUTED, ROW_HEIGHT, colour_by, dress_chart, hover
from loantap.reporting.formatting import (
	count,
	hold_together,
	list_rows,
	money,
	one_decimal,
	percent,
	two_decimals,
	with_interval,
)

WHOSE: Final = {"applicant": "the applicant's", "lender": "set by the lender"}
_STRENGTH: Final = "Strength, percentage points"


def chart_drivers(drivers: pd.DataFrame) -> alt.LayerChart:
	"""How far the default rates of a factor's segments lie apart, other factors equal, ranked.

	Takes one row per factor and year (0: all), as the table of drivers has it.
	"""
	whole = drivers[drivers["year"].eq(0) & drivers["strength"].notna()].sort_values("rank")
	whole = whole.assign(whose=whole["role"].map(WHOSE))
	told = pd.DataFrame(
		[
			{
				"Strength, points": with_interval(row, "strength", one_decimal),
				"Lowest": f"{row['lowest_segment']}: {percent(row['lowest_rate'])}",
				"Highest": f"{row['highest_segment']}: {percent(row['highest_rate'])}",
				"Finding": str(row["finding"]),
				"n": count(row["loans"]),
			}
			for row in list_rows(whole)
		],
		index=whole.index,
	)
	columns = ["phrase", "whose", "strength", "strength_low", "strength_high"]
	base = alt.Chart(pd.concat([whole[columns], told], axis=1))
	y = alt.Y("phrase:N", sort=None, title=None)
	colour = colour_by("whose", list(WHOSE.values()))
	layers = [
		base.mark_rule(strokeWidth=3, strokeCap="round").encode(
			alt.X("strength_low:Q", title=_STRENGTH), y, colour, alt.X2("strength_high:Q")
		),
		base.mark_point(filled=True, size=90, opacity=1).encode(
			alt.X("strength:Q"), y, colour, tooltip=hover(*told.columns, first=("phrase", "Factor"))
		),
	]
	return dress_chart(layers, height=ROW_HEIGHT * len(whole))


def chart_driver_years(drivers: pd.DataFrame) -> alt.LayerChart | None:
	"""The strength of each factor in each issue year, of the same rows; None where no year has loans enough."""
	known = drivers[drivers["year"].gt(0) & drivers["strength"].notna()]
	if known.empty:
		return None
	known = known.assign(is_told=(known["strength_low"] > 0) | (known["strength_high"] < 0))
	order = drivers[drivers["year"].eq(0)].sort_values("rank")["phrase"].tolist()
	told = pd.DataFrame(
		[
			{
				"Issue year": str(row["year"]),
				"Strength, points": with_interval(row, "strength", one_decimal),
				"n": count(row["loans"]),
			}
			for row in list_rows(known)
		],
		index=known.index,
	)
	base = alt.Chart(pd.concat([known[["phrase", "year", "strength", "is_told"]], told], axis=1))
	x = alt.X("year:O", title="Issue year", axis=alt.Axis(labelAngle=0, labelOverlap=True))
	y = alt.Y("phrase:N", sort=order, title=None)
	# Below zero: the year goes against the order that the segments have in all other years.
	most = round(max(float(known["strength"].abs().max()), 1), 3)
	is_deep = f"datum.is_told && abs(datum.strength) > {0.55 * most:.3f}"
	told_by = hover(*told.columns, first=("phrase", "Factor"))
	layers = [
		base.mark_rect(stroke="var(--card)", strokeWidth=2).encode(
			x,
			y,
			alt.Color("strength:Q", legend=None, scale=alt.Scale(scheme="redblue", domain=[-most, most], domainMid=0)),
			opacity=alt.condition("datum.is_told", alt.value(1), alt.value(0.3)),
			tooltip=told_by,
		),
		base.mark_text(fontSize=11).encode(
			x,
			y,
			alt.Text("strength:Q", format=".0f"),
			# Full fields are light or deep in both themes; faint ones let the card shine through.
			color=alt.when(is_deep)
			.then(alt.value("#ffffff"))
			.when("datum.is_told")
			.then(alt.value("#1b1b1b"))
			.otherwise(alt.value(INK)),
			tooltip=told_by,
		),
	]
	return dress_chart(layers, height=ROW_HEIGHT * len(order))


AFTER: Final = {
	"approve_all": "Rule alone, against approving all",
	"npv": "Rule after the NPV policy, against that policy",
}
# Letters of a line of a name; pixels of a line, and of the two intervals below it.
_LINE: Final = 46
_LINE_HEIGHT: Final = 14
_INTERVALS: Final = 36


def chart_rules(rules: pd.DataFrame) -> alt.LayerChart:
	"""Profit change per application of each rule, alone and after the NPV policy, from `list_rules`."""
	known = rules[rules["profit_change"].notna()]
	told = pd.DataFrame(
		[
			{
				"Beside": AFTER[str(row["after"])],
				"Profit change": with_interval(row, "profit_change", money),
				"Declines": count(row["approvals_lost"]),
				"Charge-offs avoided": count(row["charge_offs_avoided"]),
				"Default rate of declined": percent(row["default_rate_declined"]),
				"Verdict": str(row["verdict"]),
				"n": count(row["n"]),
			}
			for row in list_rows(known)
		],
		index=known.index,
	)
	figures = ["title", "after", "profit_change", "profit_change_low", "profit_change_high"]
	shown = pd.concat([known[figures], told], axis=1)
	shown = shown.assign(after=shown["after"].map(AFTER))
	base = alt.Chart(shown)
	y = alt.Y("title:N", sort=None, title=None, axis=None)
	colour = colour_by("after", list(AFTER.values()))
	names = shown.drop_duplicates("title")[["title", "n"]].copy()
	names["name"] = pd.Series(
		[wrap(hold_together(f"{title}, n = {n}"), _LINE) for title, n in zip(names["title"], names["n"], strict=True)],
		names.index,
	)
	names = names.drop(columns="n")
	heights = _LINE_HEIGHT * names["name"].map(len)
	row_height = _INTERVALS + int(heights.max())
	names["rise"] = row_height / 2 - _INTERVALS - heights
	beside = alt.YOffset("after:N", sort=list(AFTER.values()), scale=alt.Scale(range=[row_height - 30, row_height - 18]))
	layers = [
		alt.Chart(pd.DataFrame({"x": [0]}))
		.mark_rule(color=MUTED, strokeDash=[4, 3])
		.encode(alt.X("x:Q", title="Change of profit per application")),
		# The names stand above their rows: beside them they would take half of a phone.
		alt.Chart(names)
		.mark_text(align="left", baseline="top", dy=alt.ExprRef("datum.rise"), color=INK, fontSize=12)
		.encode(y=y, x=alt.value(0), text="name:N"),
		base.mark_rule(strokeWidth=3, strokeCap="round").encode(
			alt.X("profit_change_low:Q"), y, colour, alt.X2("profit_change_high:Q"), yOffset=beside
		),
		base.mark_point(filled=True, size=70, opacity=1).encode(
			alt.X("profit_change:Q"), y, colour, yOffset=beside, tooltip=hover(*told.columns, first=("title", "Rule"))
		),
	]
	return dress_chart(layers, height=row_height * len(names))


_HEIGHT: Final = 320
# Ratios that a reader cannot tell apart, and pixels from one to the next of them.
_SAME: Final = 0.02
_STEP: Final = 7.0
# Beyond a ratio of 1, so that what stands there is seen whole.
_END: Final = 1.05
_TICKS: Final = [place / 10 for place in range(11)]


def chart_fairness_price(frontier: pd.DataFrame, scenario: str, paid_life: str) -> alt.LayerChart:
	"""Profit lost per application against the ratio of approval rates reached, for each proxy.

	Takes one row per proxy and ratio asked for, as the fairness frontier has it.
	"""
	shown = frontier[frontier["scenario"].eq(scenario) & frontier["paid_life"].eq(paid_life)]
	# What is asked for may be reached already: today's point.
	shown = shown.drop_duplicates(["phrase", "worst_ratio", "lost_per_application"])
	# "Housing, which may stand for wealth": the legend has room for the first words.
	shown = shown.assign(group=shown["phrase"].str.split(",").str[0])
	told = pd.DataFrame(
		[
			{
				"Ratio of approval rates": with_interval(row, "worst_ratio", two_decimals),
				"Profit lost per application": with_interval(row, "lost_per_application", one_decimal),
				"Default rate of approved": percent(row["default_rate_approved"]),
				"n": count(row["n"]),
			}
			for row in list_rows(shown)
		],
		index=shown.index,
	)
	figures = [
		"phrase",
		"group",
		"worst_ratio",
		"lost_per_application",
		"lost_per_application_low",
		"lost_per_application_high",
	]
	groups = list(shown["group"].unique())
	shift = _shift_apart(shown["worst_ratio"])
	base = alt.Chart(pd.concat([shown[figures].assign(shift=shift), told], axis=1))
	ends = [min(float(shown["worst_ratio"].min()), 1.0) - 0.03, _END] if len(shown) else [0, _END]
	x = alt.X(
		"worst_ratio:Q",
		title="Ratio of approval rates reached",
		scale=alt.Scale(domain=ends, nice=False),
		axis=alt.Axis(values=_TICKS, format=".1f"),
	)
	beside = alt.ExprRef("datum.shift")
	y = alt.Y("lost_per_application:Q", title="Profit lost per application")
	colour = colour_by("group", groups)
	layers = [
		alt.Chart(pd.DataFrame({"y": [0]})).mark_rule(color=MUTED, strokeDash=[4, 3]).encode(y="y:Q"),
		base.mark_rule(opacity=0.5, strokeWidth=2, xOffset=beside).encode(
			x, alt.Y("lost_per_application_low:Q", title=""), colour, y2="lost_per_application_high:Q"
		),
		base.mark_point(filled=True, size=70, opacity=1, xOffset=beside).encode(
			x, y, colour, tooltip=hover(*told.columns, first=("phrase", "Groups by"))
		),
	]
	return dress_chart(layers, height=_HEIGHT)


def _shift_apart(ratios: pd.Series) -> pd.Series:
	spots = (ratios / _SAME).round()
	place = ratios.groupby(spots).rank(method="first") - 1
	last = ratios.groupby(spots).transform("size") - 1
	return _STEP * (place - last / 2)
