"""Charts of the book."""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import pandas as pd

from loantap.reporting.charts.frame import SERIES, colour_by, dress_chart, hover
from loantap.reporting.formatting import count, percent, percent_interval

_HEIGHT: Final = 320
_EVENTS: Final = {"default": "defaulted", "prepaid": "paid early"}
# The best state first, as the colours go.
_LATE: Final = ("1-29", "30-59", "60-89", "90+")


def chart_vintages(vintages: Sequence[dict[str, Any]], cause: str) -> alt.LayerChart:
  """Share of the loans of each recent vintage that ended so, by months on book.

  Readers choose the term. Of each term the latest vintages are drawn, as many as there are
  colours. `cause` is `default` or `prepaid`.
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
