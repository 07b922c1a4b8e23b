"""The charts of the pages Portfolio and Model: the frontier that a person moves, and calibration."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import altair as alt
import pandas as pd

from loantap.reporting.charts.frame import INK, MUTED, colour_by, dress_chart, hover
from loantap.reporting.formatting import (
	count,
	list_rows,
	money,
	name_sample,
	percent,
	percent_interval,
	two_decimals,
	with_interval,
)

_CAPPED: Final = "capped_default_rate"
_FAMILIES: Final = {
	"npv_hurdle": "Expected NPV above a hurdle",
	_CAPPED: "Expected default rate at most a cap",
	"pd_cutoff": "PD below a cut-off",
}
_TOLD: Final = ("Approved", "Default rate of approved", "Profit per application", "n")
_TOLD_OF_BIN: Final = ("Mean PD", "Default rate", "95% interval", "n")
# A ground of the page's colour, so that no line crosses the name.
_LOOKS: Final[Sequence[Mapping[str, Any]]] = (
	{"color": "var(--page)", "stroke": "var(--page)", "strokeWidth": 5, "opacity": 0.85},
	{"color": INK, "fontWeight": "bold"},
)


def chart_again(curves: pd.DataFrame, policies: pd.DataFrame) -> alt.LayerChart:
	"""Profit per application against the default rate of approved loans; takes `decide_again`, `Again.compare`."""
	lines = _word(curves).assign(series=curves["family"].map(_FAMILIES))
	# From strictest to widest: by cap, or by share approved.
	is_cap = curves["family"].eq(_CAPPED)
	lines = lines.assign(path=curves["hurdle"].where(is_cap, curves["approval_rate"]))
	points = _word(policies).assign(name=policies["label"])
	points = points[policies["approved"].gt(0)]
	x = alt.X(
		"default_rate_approved:Q",
		title="Default rate among approved loans",
		axis=alt.Axis(format=".0%"),
		scale=alt.Scale(zero=False, nice=True),
	)
	y = alt.Y("profit:Q", title="Imputed profit per application", axis=alt.Axis(format=",.0f"))
	colour = colour_by("series", list(_FAMILIES.values()))
	base = alt.Chart(lines)
	dots = alt.Chart(points)
	return dress_chart(
		[
			base.mark_rule(opacity=0.25, strokeWidth=2).encode(
				x, alt.Y("profit_low:Q", title=""), colour, y2="profit_high:Q"
			),
			base.mark_line(strokeWidth=2, point={"size": 30}).encode(
				x, y, colour, order="path:Q", tooltip=hover(*_TOLD, first=("series", "Policy"))
			),
			alt.Chart(pd.DataFrame({"y": [0]})).mark_rule(color=MUTED).encode(y="y:Q"),
			dots.mark_point(filled=True, size=110, color=INK, opacity=1).encode(
				x, y, tooltip=hover(*_TOLD, first=("name", "Policy"))
			),
			*(
				dots.mark_text(align="right", dx=-9, dy=-9, fontSize=12, **look).encode(x, y, text="name:N") for look in _LOOKS
			),
		],
		height=320,
	)


def _word(figures: pd.DataFrame) -> pd.DataFrame:
	told = [
		{
			"Approved": percent(row["approval_rate"]),
			"Default rate of approved": with_interval(row, "default_rate_approved", percent),
			"Profit per application": with_interval(row, "profit", money),
			"n": count(row["n"]),
		}
		for row in list_rows(figures)
	]
	columns = ["default_rate_approved", "profit", "profit_low", "profit_high"]
	words = pd.DataFrame(told, index=figures.index, columns=list(_TOLD))
	return pd.concat([figures[columns], words], axis=1)


def chart_shifts(checks: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
	"""PSI of each feature with its interval and limit, the largest first; takes the `psi` checks of monitoring."""
	rows = pd.DataFrame(checks).sort_values("value", ascending=False)
	rows["series"] = rows["verdict"].map({"alarm": "Alarm"}).fillna("Within its limit")
	rows["PSI"] = [with_interval({"v": v, "v_low": a, "v_high": b}, "v", two_decimals) for v, a, b in _bounds_of(rows)]
	rows["Limit"], rows["n"] = rows["limit"].map(two_decimals), rows["n"].map(count)
	y = alt.Y("subject:N", title="", sort=rows["subject"].tolist())
	colour = colour_by("series", ["Within its limit", "Alarm"])
	base = alt.Chart(rows)
	return dress_chart(
		[
			base.mark_rule(strokeWidth=2, opacity=0.5).encode(alt.X("low:Q", title="PSI"), y, colour, x2="high:Q"),
			base.mark_tick(color=MUTED, thickness=2, size=14).encode(alt.X("limit:Q", title="PSI"), y),
			base.mark_point(filled=True, size=60, opacity=1).encode(
				alt.X("value:Q", title="PSI"), y, colour, tooltip=hover("PSI", "Limit", "n", first=("subject", "Feature"))
			),
		],
		height=24 * len(rows) + 40,
	)


def _bounds_of(rows: pd.DataFrame) -> Iterator[tuple[float, float, float]]:
	return zip(rows["value"], rows["low"], rows["high"], strict=True)


def chart_months(months: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
	"""Share of decisions by month; takes the `months` of monitoring."""
	names = ["approve", "refer", "decline", "invalid"]
	rows = pd.DataFrame(months)
	long = rows.melt(id_vars=["month", "n"], value_vars=names, var_name="series", value_name="rows")
	long["share"] = long["rows"] / long["n"]
	long["Share"], long["Decisions"] = long["share"].map(percent), long["rows"].map(count)
	bars = alt.Chart(long).mark_bar()
	shares = alt.Y("share:Q", title="Share of decisions", axis=alt.Axis(format=".0%"), stack=True)
	colour, tooltip = colour_by("series", names), hover("Share", "Decisions", first=("series", "Decision"))
	return dress_chart([bars.encode(alt.X("month:O", title=""), shares, colour, tooltip=tooltip)], height=260)


def chart_calibration(reliability: pd.DataFrame) -> alt.LayerChart:
	"""Observed default rate against predicted PD, in bins of each sample.

	Takes one row per bin: `sample`, `mean_pd`, `observed_rate` with `low` and `high`, `loans`.
	"""
	told = pd.DataFrame(
		{
			"Mean PD": reliability["mean_pd"].map(percent),
			"Default rate": reliability["observed_rate"].map(percent),
			"95% interval": [
				percent_interval(low, high) for low, high in zip(reliability["low"], reliability["high"], strict=True)
			],
			"n": reliability["loans"].map(count),
		}
	)
	columns = ["mean_pd", "observed_rate", "low", "high"]
	named = reliability["sample"].map(lambda name: name_sample(str(name)))
	bins = pd.concat([reliability[columns], told], axis=1).assign(series=named)
	end = round(float(reliability[["mean_pd", "high"]].max().max()), 2)
	perfect = pd.DataFrame({"mean_pd": [0.0, end], "observed_rate": [0.0, end]})
	percents = alt.Axis(format=".0%")
	x = alt.X("mean_pd:Q", title="Predicted probability of default", axis=percents)
	y = alt.Y("observed_rate:Q", title="Observed default rate", axis=percents)
	colour = colour_by("series", named.unique().tolist())
	base = alt.Chart(bins)
	return dress_chart(
		[
			alt.Chart(perfect).mark_line(color=MUTED, strokeDash=[4, 4]).encode(x, y),
			base.mark_rule(opacity=0.5, strokeWidth=2).encode(x, alt.Y("low:Q", title=""), colour, y2="high:Q"),
			base.mark_point(filled=True, size=60, opacity=1).encode(
				x, y, colour, tooltip=hover(*_TOLD_OF_BIN, first=("series", "Sample"))
			),
		],
		height=340,
	)
