"""The policy lab."""

from textwrap import wrap
from typing import Final

import altair as alt
import pandas as pd

from loantap.reporting.charts.frame import INK, MUTED, colour_by, dress_chart, hover
from loantap.reporting.formatting import count, hold_together, money, percent
from loantap.reporting.page_table import list_rows, with_interval

AFTER: Final = {
  "approve_all": "Rule alone, against approving all",
  "npv": "Rule after the NPV policy, against that policy",
}
# Letters of a line of a name; pixels of a line, and of the two intervals below it.
_LINE: Final = 46
_LINE_HEIGHT: Final = 14
_INTERVALS: Final = 36


def chart_rules(rules: pd.DataFrame) -> alt.LayerChart:
  """Profit change per application of each rule, alone and after the NPV policy.

  Takes one row per rule and policy it comes after, in the order shown, from `list_rules`.
  """
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
