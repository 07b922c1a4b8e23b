"""The default rates of the segments of one factor."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from loantap.reporting.figures.interval_plot import FEW_LOANS, Axis, Dot, make_rate_axis, place_rates
from loantap.reporting.formatting import (
  NOTHING,
  count,
  explain_segmentation,
  money,
  name_segmentation,
  percent,
  percent_interval,
  signed,
)
from loantap.reporting.page_table import PageTable, list_rows, with_interval


@dataclass(frozen=True, slots=True)
class SegmentPlot:
  """The segments of one factor; `reference` is the portfolio's default rate on the axis."""

  anchor: str
  heading: str
  meaning: str
  axis: Axis
  reference: float
  dots: Sequence[Dot]
  table: PageTable


def plot_segments(findings: pd.DataFrame, default_rate: float) -> list[SegmentPlot]:
  """One plot per factor, all on one scale: a strong driver and a weak one must not look alike.

  Takes one row per factor and segment, as the table of findings has it; factors keep the order in which they first
  appear. `default_rate` is that of the portfolio, a fraction.
  """
  if findings.empty:
    return []
  telling = findings[findings["loans"] >= FEW_LOANS]
  highest = float((findings if telling.empty else telling)["default_rate_high"].max())
  axis = make_rate_axis(max(highest, default_rate))
  return [
    _plot(str(name), group.sort_values("order", kind="stable"), axis, default_rate)
    for name, group in findings.groupby("segmentation", sort=False)
  ]


def _plot(name: str, segments: pd.DataFrame, axis: Axis, default_rate: float) -> SegmentPlot:
  bounds = {"default_rate_low": "low", "default_rate_high": "high"}
  return SegmentPlot(
    anchor="by-" + name.replace("_", "-"),
    heading=name_segmentation(name),
    meaning=explain_segmentation(name),
    axis=axis,
    reference=axis.place(default_rate),
    dots=place_rates(segments.rename(columns=bounds), axis, default_rate),
    table=_tabulate(name, segments),
  )


def _tabulate(name: str, segments: pd.DataFrame) -> PageTable:
  rows = list_rows(segments)
  # What the segments of an audit earn is nobody's reason to lend.
  is_audit = segments["role"].eq("audit").any()
  headers = ["Segment", "n", "Charged off", "Default rate", "95% interval", "Other factors equal, points", "Finding"]
  told = [
    [
      str(row["segment"]),
      count(row["loans"]),
      count(row["charged_off"]),
      percent(row["default_rate"]),
      percent_interval(row["default_rate_low"], row["default_rate_high"]) or NOTHING,
      with_interval(row, "effect", signed),
      str(row["finding"]),
      *([] if is_audit else [with_interval(row, "profit_contractual", money)]),
    ]
    for row in rows
  ]
  if not is_audit:
    headers.append("Profit per loan, imputed")
  return PageTable(f"Table: {name_segmentation(name)}", headers, told, is_folded=True)
