"""The price of fairness."""

from typing import Final

import altair as alt
import pandas as pd

from loantap.reporting.charts.frame import MUTED, colour_by, dress_chart, hover
from loantap.reporting.formatting import count, one_decimal, percent, two_decimals
from loantap.reporting.page_table import list_rows, with_interval

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
  # What is asked for may be reached already: then it is the point of today.
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
