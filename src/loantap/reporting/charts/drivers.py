"""Drivers of default: the strength of each factor."""

from typing import Final

import altair as alt
import pandas as pd

from loantap.reporting.charts.frame import INK, ROW_HEIGHT, colour_by, dress_chart, hover
from loantap.reporting.formatting import count, one_decimal, percent
from loantap.reporting.page_table import list_rows, with_interval

WHOSE: Final = {"applicant": "the applicant's", "lender": "set by the lender"}
_STRENGTH: Final = "Strength, percentage points"


def chart_drivers(drivers: pd.DataFrame) -> alt.LayerChart:
  """How far the default rates of a factor's segments lie apart, other factors equal, ranked.

  Takes one row per factor and year, the year 0 standing for all, as the table of drivers has it.
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
  """The strength of each factor in each issue year; None where no year has loans enough.

  Takes what `chart_drivers` takes.
  """
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
