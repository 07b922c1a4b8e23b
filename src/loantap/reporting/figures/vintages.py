"""How a model ages, drawn."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from loantap.reporting.figures.frame import BLUE, GREEN, INK, MUTED, VERMILION, Title, draw_intervals, start_stack
from loantap.reporting.figures.interval_plot import FEW_LOANS

_HEIGHTS_INCHES = (3.4, 3.4)
_CENSORED = "#eef0f3"


def plot_vintages(origins: pd.DataFrame, vintages: pd.DataFrame, term_months: int, title: Title) -> Figure:
  """AUC per origin and vintage; below it default rate and mean PD per vintage, of one term.

  `origins` has one row per origin: `origin` and `until` (months), `n`, `roc_auc`, `roc_auc_low`,
  `roc_auc_high`; missing where the origin was skipped. `vintages` has one per issue year and
  term: `issue_year`, `term_months`, `interpretable`, `n`, `mean_pd`, and with bounds
  `default_rate` and `roc_auc`; those with few loans are left to the table.
  """
  drawn = vintages[vintages["term_months"].eq(term_months) & vintages["n"].ge(FEW_LOANS)]
  figure, (upper, lower) = start_stack(
    f"Vintage analysis: {term_months}-month loans by issue year", title, _HEIGHTS_INCHES
  )
  _draw_aucs(upper, origins.dropna(subset="n"), drawn)
  _draw_rates(lower, drawn)
  _shade_censored(upper, drawn)
  _shade_censored(lower, drawn, "resolved only,\nlevel not\ninterpretable")
  years, loans = drawn["issue_year"], drawn["n"].astype("int64")
  labels = [f"{year}\n{n:,}" for year, n in zip(years, loans, strict=True)]
  lower.set_xticks(years, labels, fontsize=8.5)
  lower.set_xlabel("Issue year, and number of loans")
  return figure


def _draw_aucs(axes: Axes, origins: pd.DataFrame, vintages: pd.DataFrame) -> None:
  axes.axhline(0.5, color=MUTED, linewidth=1, linestyle=":")
  axes.annotate(
    "chance",
    (1, 0.5),
    xytext=(0, 2),
    xycoords=axes.get_yaxis_transform(),
    textcoords="offset points",
    ha="right",
    color=MUTED,
    fontsize=8.5,
  )
  known = vintages.dropna(subset="roc_auc")
  matured = known["interpretable"].astype(bool)
  for is_in, fill, label in (
    (matured, BLUE, "by issue year, cross-validated"),
    (~matured, "white", "the same, resolved loans only"),
  ):
    rows = known[is_in]
    look = {"color": BLUE, "fmt": "o", "markerfacecolor": fill, "label": label}
    _draw(axes, rows["issue_year"], rows, "roc_auc", **look)
  measured = origins.dropna(subset="roc_auc")
  # A year, like an origin, stands in the middle of the loans judged.
  first, last = (measured[name].dt for name in ("origin", "until"))
  at = (first.year + last.year + (first.month + last.month - 13) / 12) / 2
  loans = ", ".join(f"{n:,.0f}" for n in measured["n"])
  label = f"out of time, by origin, n = {loans}"
  _draw(axes, at, measured, "roc_auc", color=VERMILION, fmt="s", label=label)
  axes.set_ylabel("AUC, 95% interval")
  _put_legend_below(axes, gap=0.05)


def _draw_rates(axes: Axes, vintages: pd.DataFrame) -> None:
  years = vintages["issue_year"]
  label = "default rate of resolved loans, 95% interval"
  _draw(axes, years, vintages, "default_rate", color=GREEN, fmt="o", label=label)
  axes.plot(
    years,
    vintages["mean_pd"],
    color=INK,
    marker="D",
    markersize=4,
    linewidth=1,
    label="mean PD of the same loans, cross-validated",
  )
  axes.set_ylim(bottom=0)
  axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
  axes.set_ylabel("Share of resolved loans")
  _put_legend_below(axes, gap=0.31)


def _draw(axes: Axes, at: pd.Series | pd.Index, rows: pd.DataFrame, figure: str, **look: Any) -> None:
  if len(rows):
    draw_intervals(axes, at, rows[figure], (rows[f"{figure}_low"], rows[f"{figure}_high"]), **look)


def _shade_censored(axes: Axes, vintages: pd.DataFrame, words: str = "") -> None:
  later = vintages.loc[~vintages["interpretable"].astype(bool), "issue_year"]
  if later.empty:
    return
  begin, end = later.min() - 0.5, later.max() + 0.5
  axes.axvspan(begin, end, color=_CENSORED, zorder=0)
  axes.text(
    (begin + end) / 2, 0.04, words, transform=axes.get_xaxis_transform(), color=MUTED, fontsize=8.5, ha="center"
  )


def _put_legend_below(axes: Axes, gap: float) -> None:
  axes.legend(loc="upper left", bbox_to_anchor=(0, -gap), frameon=False, fontsize=8.5, borderaxespad=0)
