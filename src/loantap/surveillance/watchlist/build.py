"""The watch-list of a book of any size, some loans after others."""

from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from loantap.surveillance.options import WatchlistOptions
from loantap.surveillance.schemas import WATCHLIST
from loantap.surveillance.watchlist.entries import Forecast, ListMonth, list_loans
from loantap.surveillance.watchlist.situations import (
	Situation,
	choose_month,
	explain_situation,
	find_contradictions,
	find_situations,
	is_judged,
)
from loantap.tables.ordered import group_rows
from loantap.tables.rows import LongTable, read_batches

_ID: Final = "loan_id"
# A loan's first months say nothing about a feed.
_YOUNGEST: Final = 7
GROUP_ROWS: Final = 262_144


@dataclass(frozen=True, slots=True)
class Watchlist:
	"""The list of a month by rank, `situations`, and the account: counts, and what did not arrive; see `schemas`."""

	entries: pd.DataFrame
	situations: pd.DataFrame
	account: dict[str, Any]


def find_failed_figures(panel: pd.DataFrame | LongTable, options: WatchlistOptions) -> pd.DataFrame:
	"""Months in which a figure that triggers look at did not arrive for any loan: `month, figure`.

	Of fewer than `options.min_loans` nothing is said.
	"""
	figures = sorted({t.figure for t in options.triggers.values()} - {"pd_12m"})
	counts = []
	for batch in read_batches(panel, [*figures, "month", "months_on_book"]):
		rows = batch[batch["months_on_book"] >= _YOUNGEST]
		known = rows[figures].notna().assign(loans=1, month=rows["month"])
		counts.append(known.groupby("month").sum())
	total = pd.concat(counts).groupby(level="month").sum()
	enough = total[total["loans"] >= options.min_loans]
	known = enough[figures].melt(ignore_index=False, var_name="figure", value_name="loans")
	return known[known["loans"] == 0].reset_index()[["month", "figure"]]


def build_watchlist(
	panel: pd.DataFrame | LongTable,
	running: pd.DataFrame,
	outcomes: pd.DataFrame,
	forecast: Forecast,
	loss_given_default: float,
	options: WatchlistOptions,
	rows: int = GROUP_ROWS,
) -> Watchlist:
	"""Judge each running loan and rank those on the list by the loss that help could avoid.

	`panel` is in the order of `loan_id`; `running`: `loan_id`, `loan_status`, `origin`; `outcomes` of other loans
	too; the rest: see `ListMonth`. About `rows` a group.

	Where no loan runs the list is empty, as of the last month of any.

	Raises:
		InputError: no running loan has a month.
	"""
	known = running[[_ID]].merge(outcomes, on=_ID, how="left")
	month = outcomes["last_month"].max() if running.empty else choose_month(known["last_month"], options)
	situations = find_situations(known, month, options.max_stale_months)
	failed = find_failed_figures(panel, options)
	this = ListMonth(month, failed, loss_given_default, options, forecast)
	judged = frozenset(situations.loc[is_judged(situations), _ID])
	parts, contradictions = [], []
	left = 0
	statuses = running.set_index(_ID)["loan_status"]
	for group in group_rows(read_batches(panel), _ID, rows):
		ids = group[_ID].drop_duplicates()
		# Among all judged loans each group would look as long as the book.
		found = list_loans(group[group[_ID].isin(ids[[each in judged for each in ids]])], this)
		parts.append(found.entries)
		contradictions.append(find_contradictions(found.last, statuses))
		left += found.left
	entries = rank(pd.concat(parts, ignore_index=True), running)
	told = situations.merge(pd.concat(contradictions), on=_ID, how="left")
	told = told.assign(contradiction=told["contradiction"].fillna(""))
	is_plain = told["situation"].eq(Situation.JUDGED) & told["contradiction"].eq("")
	return Watchlist(entries, told[~is_plain].reset_index(drop=True), _account(entries, told, this, left))


def rank(entries: pd.DataFrame, running: pd.DataFrame) -> pd.DataFrame:
	"""The entries in the order of the loss that help could avoid, then of `loan_id`."""
	ordered = entries.merge(running[[_ID, "origin"]], on=_ID).sort_values(
		["expected_loss_avoidable", _ID], ascending=[False, True], ignore_index=True
	)
	return ordered.assign(rank=ordered.index.to_numpy() + 1)[list(WATCHLIST.columns)]


def _account(entries: pd.DataFrame, situations: pd.DataFrame, this: ListMonth, left: int) -> dict[str, Any]:
	is_new = entries["first_seen"].eq(this.month)
	escalated = entries["escalated_in"].eq(this.month)
	names = entries["triggers"].str.split(", ").explode().value_counts()
	failed = this.failed.loc[this.failed["month"] == this.month, "figure"]
	contradictions = situations["contradiction"].loc[lambda c: c.ne("")].value_counts()
	return {
		"as_of_month": f"{this.month:%Y-%m}",
		"running_loans": len(situations),
		"situations": {
			explain_situation(str(name)): int(loans) for name, loans in situations["situation"].value_counts().items()
		},
		"contradictions": contradictions.to_dict(),
		"listed": len(entries),
		"new": int(is_new.sum()),
		"known": int((~is_new).sum()),
		"escalated_this_month": int(escalated.sum()),
		"left_this_month": left,
		"by_trigger": {name: int(names.get(name, 0)) for name in this.options.triggers},
		"figures_not_arrived": sorted(failed),
		"loss_given_default": this.loss_given_default,
		"expected_loss_avoidable": float(entries["expected_loss_avoidable"].sum()),
	}
