"""`book.html`: the book on one page, with its charts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import altair as alt
import pandas as pd

from loantap.portfolio.dictionary import SIMULATED
from loantap.reporting.book.words import (
	Figure,
	list_figures,
	list_findings,
	tabulate_arrears,
	tabulate_concentration,
	tabulate_condition,
	tabulate_moves,
	tabulate_vintages,
)
from loantap.reporting.charts.frame import SERIES, colour_by, dress_chart, hover
from loantap.reporting.formatting import count, percent, percent_interval
from loantap.reporting.insights.sections import PageSection
from loantap.reporting.shell import PageChart, bundle_vega, read_script, render_page

_HEIGHT: Final = 320
_EVENTS: Final = {"default": "defaulted", "prepaid": "paid early"}
# The best state first, as the colours go.
_LATE: Final = ("1-29", "30-59", "60-89", "90+")


def chart_vintages(vintages: Sequence[dict[str, Any]], cause: str) -> alt.LayerChart:
	"""Share of the loans of each recent vintage that ended so (`default`, `prepaid`), by months on book.

	Readers choose the term. Of each the latest vintages are drawn, as many as there are colours.
	"""
	frame = pd.DataFrame(vintages)
	frame = frame.assign(share=frame[f"{cause}_share"], low=frame[f"{cause}_low"], high=frame[f"{cause}_high"])
	ranks = frame.groupby("term_months")["vintage"].rank(method="dense", ascending=False)
	frame = frame[ranks <= len(SERIES)]
	terms = sorted(int(term) for term in frame["term_months"].unique())
	years = [str(year) for year in sorted(frame["vintage"].unique(), reverse=True)]
	told = pd.DataFrame(
		{
			"Vintage": frame["vintage"].astype("str"),
			"term": frame["term_months"],
			"months": frame["months_on_book"],
			"share": frame["share"],
			"low": frame["low"],
			"high": frame["high"],
			f"Share {_EVENTS[cause]}": frame["share"].map(percent),
			"95% interval": list(map(percent_interval, frame["low"], frame["high"])),
			"Still at risk": frame["at_risk"].map(count),
			"Months on book": frame["months_on_book"].astype("str"),
		}
	)
	chosen = alt.param(
		name=f"{cause}_term",
		value=terms[0],
		bind=alt.binding_radio(options=terms, labels=[f"{t} months" for t in terms], name="Term: "),
	)
	# Colours of vintages beyond the list would repeat; of two terms the years may differ by one.
	colour = colour_by("Vintage", years[: len(SERIES)])
	base = alt.Chart(told[told["Vintage"].isin(years[: len(SERIES)])]).transform_filter(f"datum.term == {cause}_term")
	x = alt.X("months:Q", title="Months on book")
	y = alt.Y("share:Q", title=f"Share {_EVENTS[cause]} so far", axis=alt.Axis(format=".0%"))
	layers = [
		base.mark_area(opacity=0.15).encode(x, alt.Y("low:Q", title=""), colour, y2="high:Q"),
		base.mark_line(strokeWidth=2, interpolate="step-after").encode(x, y, colour),
		base.mark_point(opacity=0, size=60).encode(
			x,
			y,
			colour,
			tooltip=hover("Vintage", "Months on book", f"Share {_EVENTS[cause]}", "95% interval", "Still at risk"),
		),
	]
	return dress_chart(layers, height=_HEIGHT).add_params(chosen)


def chart_rolls(rolls: Sequence[dict[str, Any]], months: int) -> alt.LayerChart:
	"""Share of the loans of each state that were worse a month later, in the latest `months`."""
	frame = pd.DataFrame(rolls)
	latest = sorted(frame["month"].unique())[-months:]
	frame = frame[frame["month"].isin(latest)]
	states = [each for each in ("current", *_LATE) if each in set(frame["from_state"])]
	told = pd.DataFrame(
		{
			"From": frame["from_state"],
			"month": frame["month"] + "-01",
			"share": frame["share"],
			"low": frame["low"],
			"high": frame["high"],
			"Month": frame["month"],
			"Worse a month later": frame["share"].map(percent),
			"95% interval": list(map(percent_interval, frame["low"], frame["high"])),
			"Loans": frame["from_loans"].map(count),
		}
	)
	colour = colour_by("From", states)
	x = alt.X("month:T", title="Month", axis=alt.Axis(format="%Y-%m"))
	y = alt.Y("share:Q", title="Worse a month later", axis=alt.Axis(format=".0%"))
	base = alt.Chart(told)
	layers = [
		base.mark_area(opacity=0.15).encode(x, alt.Y("low:Q", title=""), colour, y2="high:Q"),
		base.mark_line(strokeWidth=2, point={"size": 25}).encode(
			x, y, colour, tooltip=hover("From", "Month", "Worse a month later", "95% interval", "Loans")
		),
	]
	return dress_chart(layers, height=_HEIGHT)


def chart_arrears(arrears: Sequence[dict[str, Any]], months: int) -> alt.LayerChart:
	"""Share of the open balance in each state of arrears, stacked, over the latest `months`."""
	frame = pd.DataFrame(arrears)
	frame = frame[frame["state"].isin(("current", *_LATE))]
	latest = sorted(frame["month"].unique())[-months:]
	frame = frame[frame["month"].isin(latest)]
	owed = frame.groupby("month")["balance"].transform("sum")
	frame = frame.assign(share=frame["balance"] / owed)
	states = [each for each in _LATE if each in set(frame["state"])]
	late = frame[frame["state"].isin(states)]
	told = pd.DataFrame(
		{
			"Days past due": late["state"],
			"month": late["month"] + "-01",
			"share": late["share"],
			"place": late["state"].map(states.index),
			"Month": late["month"],
			"Share of balance": late["share"].map(percent),
			"Balance": late["balance"].map(count),
			"Loans": late["loans"].map(count),
		}
	)
	layers = [
		alt.Chart(told)
		.mark_bar()
		.encode(
			alt.X("yearmonth(month):T", title="Month", axis=alt.Axis(format="%Y-%m")),
			alt.Y("share:Q", title="Share of the balance owed", axis=alt.Axis(format=".1%"), stack="zero"),
			colour_by("Days past due", states),
			order="place:Q",
			tooltip=hover("Days past due", "Month", "Share of balance", "Balance", "Loans"),
		)
	]
	return dress_chart(layers, height=_HEIGHT)


_DRAWN_MONTHS: Final = 60
_TABLED_MONTHS: Final = 13
_AGE: Final = 12


@dataclass(frozen=True, slots=True)
class BookOrigins:
	"""Where the loans and their months come from: `real` or `simulated` each."""

	loans: str
	events: str


def render_book(book: Mapping[str, Any], origins: BookOrigins, as_of: date) -> str:
	"""Render `book.json` (`surveillance.book.build.measure_book`) as HTML, simulated as soon as either origin is."""
	now = book["headline"]["now"]
	figures: list[Figure] = list_figures(book)
	return render_page(
		"book.html",
		origin=SIMULATED if SIMULATED in {origins.loans, origins.events} else origins.loans,
		scripts=[bundle_vega(), read_script("charts.js"), read_script("unfold.js")],
		title="The book: vintages, roll rates, arrears",
		snapshot=book["snapshot"],
		as_of=as_of,
		loans=now["loans"] if now else 0,
		loans_origin=origins.loans,
		events_origin=origins.events,
		figures=figures,
		findings=list_findings(book),
		sections=[
			_describe_vintages(book),
			_describe_rolls(book),
			_describe_arrears(book),
			_describe_concentration(book),
			_describe_condition(book, origins.events),
		],
	)


def _describe_vintages(book: Mapping[str, Any]) -> PageSection:
	loans = sum({(r["vintage"], r["term_months"]): r["loans"] for r in book["vintages"]}.values())
	charts = [
		PageChart(
			f"chart-{cause}",
			heading,
			loans,
			"One line for each of the latest issue years, with its 95% interval, up to the age at "
			f"which fewer than 30 loans are left. {reading}",
			chart_vintages(book["vintages"], cause),
		)
		for cause, heading, reading in (
			("default", "Defaulted, by months on book", "A line above the older ones at the same age is a worse vintage."),
			("prepaid", "Paid early, by months on book", "What is paid early earns no interest."),
		)
	]
	return PageSection(
		"vintages",
		"Vintages",
		"Default is the first month 90 days past due, or the charge-off. A loan that is paid early "
		"cannot default any more and one that still runs may: both are taken into account "
		"(Aalen-Johansen), so that a young vintage can be read beside an old one.",
		charts,
		[tabulate_vintages(book["compared"], _AGE)],
	)


def _describe_rolls(book: Mapping[str, Any]) -> PageSection:
	moved = sum(row["from_loans"] for row in book["rolls"])
	chart = PageChart(
		"chart-rolls",
		"Worse a month later, by state",
		moved,
		"Counted in loan-months: of the loans in each state at a month's end, the share that was "
		"further behind, or charged off, a month later. 95% intervals.",
		chart_rolls(book["rolls"], _DRAWN_MONTHS),
	)
	return PageSection(
		"rolls",
		"Roll rates",
		"How loans move through the buckets of days past due. A change in the first steps reaches "
		"the charge-offs three to four months later.",
		[chart],
		[tabulate_moves(book["moves"])],
	)


def _describe_arrears(book: Mapping[str, Any]) -> PageSection:
	now = book["headline"]["now"]
	chart = PageChart(
		"chart-arrears",
		"Balance in arrears",
		now["loans"] if now else 0,
		"Share of the balance owed at each month's end, by days past due.",
		chart_arrears(book["arrears"], _DRAWN_MONTHS),
	)
	return PageSection(
		"arrears",
		"Balance and arrears",
		"A growing book looks healthier than it is: young loans have had no time to fall behind. "
		"Read it with the vintages.",
		[chart],
		[tabulate_arrears(book["arrears"], _TABLED_MONTHS)],
	)


def _describe_concentration(book: Mapping[str, Any]) -> PageSection:
	return PageSection(
		"concentration",
		"Concentration",
		f"Where the balance of the loans lies that run at the end of {book['snapshot']}, and how "
		"many of each segment's loans are 30 days late or more, with 95% intervals (Wilson).",
		[],
		tabulate_concentration(book["concentration"]),
	)


def _describe_condition(book: Mapping[str, Any], events: str) -> PageSection:
	behind = book["months_behind"]
	if events == SIMULATED:
		told = "The months are simulated up to this snapshot: no later one is missing."
	elif behind:
		told = f"{behind} more had ended by the day of the run: the source is behind."
	else:
		told = "No later month had ended by the day of the run."
	lead = f"The last month reported is {book['snapshot']}. {told}"
	return PageSection("condition", "The data", lead, [], [tabulate_condition(book["condition"])])
