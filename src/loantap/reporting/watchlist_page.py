"""The watch-list as a page."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from loantap.portfolio.dictionary import SIMULATED
from loantap.reporting.book.page import BookOrigins
from loantap.reporting.formatting import NOTHING, TRENDS, capitalize_first, draw_line, word_plan
from loantap.reporting.shell import render_page

# Of each queue; the table file has them all.
SHOWN: Final = 100


def render_watchlist(
	watchlist: pd.DataFrame, plans: pd.DataFrame, account: Mapping[str, Any], origins: BookOrigins, avoidable: str
) -> str:
	"""One self-contained HTML page of the watch-list, by rank, with plans and counts of its account.

	`plans` has a row for each of its rows, in the same order; `avoidable` tells the source of the share avoided.
	"""
	shown = watchlist.groupby("queue").head(SHOWN)
	pairs = zip(shown.to_dict("records"), plans.loc[shown.index].to_dict("records"), strict=True)
	queues = watchlist["queue"].value_counts()
	return render_page(
		"watchlist.html",
		origin=origins.loans,
		title="Watch-list",
		account=account,
		avoidable=avoidable,
		events_are_simulated=origins.events == SIMULATED,
		queues={str(name): int(loans) for name, loans in queues.items()},
		rows=[_word(row) | {"plan": word_plan(plan)} for row, plan in pairs],
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
