"""The watch-list as a page."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from loantap.portfolio.dictionary import SIMULATED
from loantap.reporting.formatting import NOTHING, capitalize_first
from loantap.reporting.shell import render_page
from loantap.reporting.sparkline import TRENDS, draw_line

# Of each queue; the table file has them all.
SHOWN: Final = 100


def render_watchlist(watchlist: pd.DataFrame, account: Mapping[str, Any], avoidable: str) -> str:
    """One self-contained HTML page of the watch-list, by rank, and the counts of its account.

    `avoidable` tells the source of the share of loss that help avoids.
    """
    events = watchlist["events_origin"]
    is_simulated = bool(events.ne("real").any())
    shown = watchlist.groupby("queue").head(SHOWN)
    queues = watchlist["queue"].value_counts()
    return render_page(
        "watchlist.html",
        origin=SIMULATED if watchlist["origin"].eq(SIMULATED).any() else "real",
        title="Watch-list",
        account=account,
        avoidable=avoidable,
        events_are_simulated=is_simulated,
        queues={str(name): int(loans) for name, loans in queues.items()},
        rows=[_word(row) for row in shown.to_dict("records")],
        shown=SHOWN,
    )


def _word(row: Mapping[Any, Any]) -> dict[str, Any]:
    trends = []
    for name, label in TRENDS.items():
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
