"""`book.html`: the book on one page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from loantap.portfolio.dictionary import SIMULATED
from loantap.reporting.book.charts import chart_arrears, chart_rolls, chart_vintages
from loantap.reporting.book.tables import (
  tabulate_arrears,
  tabulate_concentration,
  tabulate_condition,
  tabulate_moves,
  tabulate_vintages,
)
from loantap.reporting.book.words import Figure, list_figures, list_findings
from loantap.reporting.charts.inline import PageChart, bundle_vega
from loantap.reporting.insights.sections import PageSection
from loantap.reporting.shell import read_script, render_page

_DRAWN_MONTHS: Final = 60
_TABLED_MONTHS: Final = 13
_AGE: Final = 12


@dataclass(frozen=True, slots=True)
class BookOrigins:
  """Where the loans and their months come from: `real` or `simulated` each."""

  loans: str
  events: str


def render_book(book: Mapping[str, Any], origins: BookOrigins, as_of: date) -> str:
  """Render `book.json` (see `surveillance.book.build.measure_book`) as one HTML document.

  The page is simulated as soon as either origin is.
  """
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
