"""The watch-list as a page."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from loantap.portfolio.dictionary import SIMULATED
from loantap.reporting.formatting import NOTHING, capitalize_first
from loantap.reporting.help_plan import word_plan
from loantap.reporting.shell import render_page

# Of each queue; the table file has them all.
SHOWN: Final = 100
_WIDTH, _HEIGHT, _EDGE = 96, 24, 2
_TRENDS: Final = {"trend_utilisation": "Utilisation", "trend_dti": "DTI", "trend_dpd": "Days late"}


def render_watchlist(watchlist: pd.DataFrame, plans: pd.DataFrame, account: Mapping[str, Any], avoidable: str) -> str:
    """One self-contained HTML page of the watch-list, by rank, with plans and counts.

    `plans` has a row for each of its rows, in the same order.

    `avoidable` tells the source of the share of loss that help avoids.
    """
    events = watchlist["events_origin"]
    is_simulated = bool(events.ne("real").any())
    shown = watchlist.groupby("queue").head(SHOWN)
    pairs = zip(shown.to_dict("records"), plans.loc[shown.index].to_dict("records"), strict=True)
    queues = watchlist["queue"].value_counts()
    return render_page(
        "watchlist.html",
        origin=SIMULATED if watchlist["origin"].eq(SIMULATED).any() else "real",
        title="Watch-list",
        account=account,
        avoidable=avoidable,
        events_are_simulated=is_simulated,
        queues={str(name): int(loans) for name, loans in queues.items()},
        rows=[_word(row) | {"plan": word_plan(plan)} for row, plan in pairs],
        shown=SHOWN,
    )


def draw_line(trend: str) -> list[list[str]]:
    """Points of a line per unbroken run of a trend, in a box of 96 by 24; none for one value.

    >>> draw_line("0 10")
    [['2.0,22.0', '94.0,2.0']]
    """
    values = [float(value) for value in trend.split()]
    known = [value for value in values if value == value]  # noqa: PLR0124 (NaN is not itself)
    if len(known) < 2:
        return []
    low, span = min(known), (max(known) - min(known)) or 1.0
    step = (_WIDTH - 2 * _EDGE) / (len(values) - 1)
    lines: list[list[str]] = [[]]
    for place, value in enumerate(values):
        if value != value:  # noqa: PLR0124
            lines.append([])
            continue
        height = _HEIGHT - _EDGE - (value - low) / span * (_HEIGHT - 2 * _EDGE)
        lines[-1].append(f"{_EDGE + place * step:.1f},{height:.1f}")
    return [line for line in lines if line]


def _word(row: Mapping[Any, Any]) -> dict[str, Any]:
    trends = []
    for name, label in _TRENDS.items():
        values = str(row[name]).split()
        trends.append(
            {
                "label": label,
                "lines": [" ".join(points) for points in draw_line(str(row[name]))],
                "ends": f"{values[0]} to {values[-1]}" if values else NOTHING,
            }
        )
    escalated = row["escalated_in"]
    return {
        **{str(name): value for name, value in row.items()},
        "heading": capitalize_first(str(row["level"])),
        "trends": trends,
        "is_new": row["first_seen"] == row["as_of_month"],
        "first_seen": f"{row['first_seen']:%Y-%m}",
        "escalated": "" if pd.isna(escalated) else f"{escalated:%Y-%m}",
    }
