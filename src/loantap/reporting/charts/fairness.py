"""The price of fairness: profit lost until the groups of a proxy are approved alike."""

from __future__ import annotations

from typing import Final

import altair as alt
import pandas as pd

from loantap.reporting.charts.frame import MUTED, colour_by, dress_chart, hover
from loantap.reporting.formatting import count, one_decimal, percent, two_decimals
from loantap.reporting.page_table import list_rows, with_interval

_HEIGHT: Final = 320


def chart_fairness_price(frontier: pd.DataFrame, scenario: str, paid_life: str) -> alt.LayerChart:
    """Profit lost per application against the ratio of approval rates reached, for each proxy.

    Args:
        frontier: one row per proxy and ratio asked for: `phrase`, `target_ratio`, `n`,
            `worst_ratio` and `lost_per_application` with `_low` and `_high`,
            `default_rate_approved`, `scenario`, `paid_life`.
        scenario: of the points shown.
        paid_life: of the points shown.
    """
    shown = frontier[frontier["scenario"].eq(scenario) & frontier["paid_life"].eq(paid_life)]
    # "Housing, which may stand for wealth": the legend has room for the first words.
    shown = shown.assign(group=shown["phrase"].str.split(",").str[0])
    told = pd.DataFrame(
        [
            {
                "Ratio of approval rates": with_interval(row, "worst_ratio", two_decimals),
                "Profit lost per application": with_interval(
                    row, "lost_per_application", one_decimal
                ),
                "Default rate of approved": percent(row["default_rate_approved"]),
                "n": count(row["n"]),
            }
            for row in list_rows(shown)
        ],
        index=shown.index,
    )
    figures = ["phrase", "group", "worst_ratio", "lost_per_application", "lost_per_application_low",
               "lost_per_application_high"]  # fmt: skip
    base = alt.Chart(pd.concat([shown[figures], told], axis=1))
    x = alt.X("worst_ratio:Q", title="Ratio of approval rates reached", scale=alt.Scale(zero=False))
    y = alt.Y("lost_per_application:Q", title="Profit lost per application")
    colour = colour_by("group", list(shown["group"].unique()))
    layers = [
        alt.Chart(pd.DataFrame({"y": [0]})).mark_rule(color=MUTED, strokeDash=[4, 3])
        .encode(y="y:Q"),
        base.mark_rule(opacity=0.5, strokeWidth=2).encode(
            x, alt.Y("lost_per_application_low:Q", title=""), colour,
            y2="lost_per_application_high:Q",
        ),
        base.mark_point(filled=True, size=70, opacity=1).encode(
            x, y, colour, tooltip=hover(*told.columns, first=("phrase", "Groups by"))
        ),
    ]  # fmt: skip
    return dress_chart(layers, height=_HEIGHT)
