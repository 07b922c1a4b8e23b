"""The frontier: what each default rate among approved loans costs in profit."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from loantap.reporting.figures.frame import BLUE, GREEN, INK, MUTED, VERMILION, Title, start_figure

_FAMILIES = {
    "npv_hurdle": ("Expected NPV above a hurdle", BLUE, "-"),
    "capped_default_rate": ("Expected default rate at most a cap", GREEN, "--"),
    "pd_cutoff": ("PD below a cut-off", VERMILION, ":"),
}
# Policies that have a point of their own, and where their name stands beside it.
_POINTS = {
    "approve_all": (6, -4),
    "bands": (6, -10),
    "grade_term_npv": (6, 4),
    "capped_default_rate": (-6, 8),
    "npv": (6, 4),
    "f2_threshold": (6, -10),
}


def plot_frontier(frontier: pd.DataFrame, scenario: str, paid_life: str, title: Title) -> Figure:
    """Profit per application against the default rate among approved loans.

    Args:
        frontier: one row per point: `family`, `is_policy`, `default_rate_approved`, `profit` with
            `_low` and `_high`, `label`, `sample`, `scenario`, `paid_life`.
        scenario: of the points shown.
        paid_life: of the points shown.
        title: of the figure.
    """
    shown = frontier[
        frontier["sample"].eq("cv")
        & frontier["scenario"].eq(scenario)
        & frontier["paid_life"].eq(paid_life)
        & frontier["default_rate_approved"].notna()
    ]
    figure, axes = start_figure("What each default rate costs", title)
    for family, (label, colour, style) in _FAMILIES.items():
        line = shown[shown["family"].eq(family) & ~shown["is_policy"]]
        line = line.sort_values("default_rate_approved")
        rate = line["default_rate_approved"]
        axes.plot(rate, line["profit"], style, color=colour, label=label)
        axes.fill_between(rate, line["profit_low"], line["profit_high"], color=colour, alpha=0.1)
    points = shown[shown["is_policy"] & shown["family"].isin(_POINTS)]
    axes.scatter(points["default_rate_approved"], points["profit"], color=INK, zorder=3, s=16)
    for name, x, y, label in zip(
        points["family"], points["default_rate_approved"], points["profit"], points["label"],
        strict=True,
    ):  # fmt: skip
        place = _POINTS[str(name)]
        axes.annotate(
            str(label), (x, y), place, textcoords="offset points", fontsize=8,
            ha="left" if place[0] > 0 else "right",
        )  # fmt: skip
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.set_xlabel("Default rate among approved loans")
    axes.set_ylabel("Imputed profit per application")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.legend(fontsize=8, loc="lower right")
    return figure
