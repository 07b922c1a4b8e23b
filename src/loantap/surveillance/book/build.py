"""The figures of the book: what `book.json` holds and `book.html` shows."""

from dataclasses import asdict
from datetime import date
from typing import Any, Final

import duckdb
import pandas as pd

from loantap.measures.intervals import wilson_bounds
from loantap.model.validation.evaluation import make_plain
from loantap.surveillance.book.ledger import (
	IN_ARREARS_30,
	LOST,
	OPEN_STATES,
	STATES,
	month_of,
	open_ledger,
	read_condition,
)
from loantap.surveillance.book.vintages import draw_vintages
from loantap.tables.rows import LongTable

# Single months of a bad state hold few loans.
MATRIX_MONTHS: Final = 12
_MOVES: Final = """
SELECT later.month AS month, earlier.state AS from_state, later.state AS to_state,
       count(*)::BIGINT AS loans, sum(earlier.balance) AS balance
FROM ledger AS earlier JOIN ledger AS later
    ON earlier.number = later.number AND later.month = earlier.month + 1
GROUP BY ALL ORDER BY ALL
"""
_ARREARS: Final = """
SELECT month, state, count(*)::BIGINT AS loans, sum(balance) AS balance
FROM ledger WHERE state <> 'paid' GROUP BY ALL ORDER BY ALL
"""
DIMENSIONS: Final = ("grade", "term", "purpose", "state")
NOT_STATED: Final = "not stated"
_OWED: Final = """
SELECT coalesce(CAST(loan.{column} AS VARCHAR), $missing) AS segment, count(*)::BIGINT AS loans,
       sum(balance) AS balance,
       count(*) FILTER (ledger.state IN ('30-59', '60-89', '90+'))::BIGINT AS loans_30,
       sum(balance) FILTER (ledger.state IN ('30-59', '60-89', '90+')) AS balance_30
FROM ledger JOIN loan USING (number)
WHERE month = $snapshot AND ledger.state NOT IN ('paid', 'charged off')
GROUP BY ALL ORDER BY balance DESC, segment
"""
_YEAR: Final = 12
# An age that most vintages have reached.
COMPARED_AGE: Final = 12


def count_moves(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
	"""Moves of loans from one month's end to the next. A step over a missing month is none.

	Returns:
		One row per `month` (of the later end, as in the ledger), `from_state`, `to_state`: `loans`, `balance` (at the
		earlier end).
	"""
	return pd.DataFrame(connection.execute(_MOVES).df())


def sum_arrears(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
	"""Loans and balance by `month` and `state` at its end; of charged-off loans those of the month."""
	return pd.DataFrame(connection.execute(_ARREARS).df())


def rate_moves(moves: pd.DataFrame) -> pd.DataFrame:
	"""Share of the loans of a state that moved to each state, in the months of `moves`.

	Returns:
		One row per open state with loans, and state it may move to: `from_state`, `to_state`, `loans` (that moved),
		`from_loans`, `share` (sums to 1) with Wilson bounds `low` and `high`, `balance_share`.
	"""
	pairs = pd.MultiIndex.from_product([OPEN_STATES, STATES], names=["from_state", "to_state"])
	summed = moves.groupby(["from_state", "to_state"])[["loans", "balance"]].sum()
	table = summed.reindex(pairs, fill_value=0).reset_index()
	totals = table.groupby("from_state")[["loans", "balance"]].transform("sum")
	table = table.assign(from_loans=totals["loans"], from_balance=totals["balance"])
	table = table[table["from_loans"] > 0].reset_index(drop=True)
	low, high = wilson_bounds(table["loans"], table["from_loans"])
	return table.assign(
		share=table["loans"] / table["from_loans"],
		low=low,
		high=high,
		balance_share=table["balance"] / table["from_balance"].where(table["from_balance"] > 0),
	).drop(columns=["balance", "from_balance"])


def roll_over_time(moves: pd.DataFrame) -> pd.DataFrame:
	"""Share of the loans of each open state that were worse a month later, by month.

	Returns:
		`month`, `from_state`, `loans` (further down the buckets, or charged off), `from_loans`, `share`, `low`, `high`.
	"""
	place = {state: at for at, state in enumerate(STATES[:-1])}
	before, after = (moves[name].map(place) for name in ("from_state", "to_state"))
	is_worse = after > before  # never true where a state has no place: of what is paid
	marked = moves.assign(worse=moves["loans"].where(is_worse, 0))
	kept = marked[marked["from_state"].isin(OPEN_STATES)]
	summed = kept.groupby(["month", "from_state"], as_index=False)[["worse", "loans"]].sum()
	summed = summed.rename(columns={"loans": "from_loans", "worse": "loans"})
	low, high = wilson_bounds(summed["loans"], summed["from_loans"])
	return summed.assign(share=summed["loans"] / summed["from_loans"], low=low, high=high)


def measure_concentration(connection: duckdb.DuckDBPyConnection, snapshot: int) -> pd.DataFrame:
	"""Balance by grade, term, purpose and state of the loans that run at a month's end.

	Returns:
		One row per `dimension` and `segment`, the largest balance first: `loans`, `balance`, `balance_share`, `loans_30`
		and `balance_30` (30 days past due or more), `share_30` of loans with Wilson bounds `low` and `high`, and the
		dimension's `herfindahl`, the sum of squared shares.
	"""
	parts = [_measure(connection, dimension, snapshot) for dimension in DIMENSIONS]
	return pd.concat(parts, ignore_index=True)


def _measure(connection: duckdb.DuckDBPyConnection, dimension: str, snapshot: int) -> pd.DataFrame:
	query = _OWED.format(column=dimension)
	found = connection.execute(query, {"snapshot": snapshot, "missing": NOT_STATED}).df()
	if dimension == "term":
		found = found.assign(segment=found["segment"].str.removesuffix(".0") + " months")
	share = found["balance"] / found["balance"].sum()
	low, high = wilson_bounds(found["loans_30"], found["loans"])
	return found.assign(
		dimension=dimension,
		balance_30=found["balance_30"].fillna(0.0),
		balance_share=share,
		share_30=found["loans_30"] / found["loans"],
		low=low,
		high=high,
		herfindahl=float((share**2).sum()),
	)


def measure_book(
	loan_months: pd.DataFrame | LongTable, loans: pd.DataFrame, running_loans: pd.DataFrame, as_of: date
) -> dict[str, Any]:
	"""Measure the book as of the last month that any loan reports on.

	Returns:
		`snapshot` (YYYY-MM), `months_behind` (whole months after it ended by `as_of`, the day of the run), `condition`
		(see `Condition`), `headline`, `vintages`, `compared` (default of each at 12 months on book), `moves` (of the last
		12 months), `rolls` (by month), `arrears` (by month and state), `concentration`. Shares are fractions, amounts the
		loans' currency.

	Raises:
		InputError: see `open_ledger`.
	"""
	with open_ledger(loan_months, loans, running_loans) as connection:
		condition = read_condition(connection)
		vintages = draw_vintages(connection)
		moves = count_moves(connection)
		arrears = sum_arrears(connection)
		snapshot = int(arrears["month"].max())
		concentration = measure_concentration(connection, snapshot)
	recent = moves[moves["month"] > snapshot - MATRIX_MONTHS]
	rolls = roll_over_time(moves)
	# Events of the run's own month need not be there yet.
	ended = 12 * as_of.year + as_of.month - 1
	return {
		"snapshot": month_of(snapshot),
		"months_behind": max(ended - snapshot, 0),
		"condition": asdict(condition),
		"headline": summarise(arrears, moves, snapshot),
		"compared": make_plain(compare_vintages(vintages)),
		"vintages": make_plain(vintages),
		"moves": make_plain(rate_moves(recent)),
		"rolls": make_plain(_name_months(rolls)),
		"arrears": make_plain(_name_months(arrears)),
		"concentration": make_plain(concentration),
	}


def summarise(arrears: pd.DataFrame, moves: pd.DataFrame, snapshot: int) -> dict[str, Any]:
	"""What a risk committee asks first, `now` and `year_ago` (null where there was no loan): see `_summarise_month`."""
	now, before = (_summarise_month(arrears, moves, month) for month in (snapshot, snapshot - _YEAR))
	return {"now": now, "year_ago": before}


def compare_vintages(vintages: pd.DataFrame) -> pd.DataFrame:
	"""Default of each vintage by 12 months on book, where its curve reaches that age.

	Returns:
		`vintage`, `term_months`, `loans`, `at_risk` (then), `default_share`, `default_low`, `default_high`.
	"""
	by = ["vintage", "term_months"]
	reached = vintages.groupby(by)["months_on_book"].transform("max") >= COMPARED_AGE
	until = vintages[reached & (vintages["months_on_book"] <= COMPARED_AGE)]
	names = ["loans", "at_risk", "default_share", "default_low", "default_high"]
	return until.groupby(by, as_index=False)[names].last()


def _summarise_month(arrears: pd.DataFrame, moves: pd.DataFrame, month: int) -> dict[str, Any] | None:
	"""Open loans and balance, arrears of 30 and 90 days, what rolled, what a year lost."""
	rows = arrears[arrears["month"] == month].set_index("state")
	still = rows.loc[rows.index.isin(OPEN_STATES)]
	loans, balance = int(still["loans"].sum()), float(still["balance"].sum())
	if not loans:
		return None
	told: dict[str, Any] = {"month": month_of(month), "loans": loans, "balance": balance}
	for name, states in (("arrears_30", IN_ARREARS_30), ("arrears_90", ("90+",))):
		late = still.loc[still.index.isin(states)]
		told[name] = _share(int(late["loans"].sum()), loans) | {
			"balance": float(late["balance"].sum()),
			"balance_share": float(late["balance"].sum()) / balance,
		}
	year = arrears[arrears["month"].between(month - _YEAR + 1, month)]
	lost = year[year["state"] == LOST]
	held = year[year["state"].isin(OPEN_STATES)].groupby("month")["balance"].sum()
	told["charged_off_year"] = {
		"loans": int(lost["loans"].sum()),
		"balance": float(lost["balance"].sum()),
		"months": len(held),
		# Less than a year has no yearly rate.
		"rate": float(lost["balance"].sum() / held.mean()) if len(held) == _YEAR else None,
	}
	quarter = moves[moves["month"].between(month - 2, month) & moves["from_state"].eq("current")]
	rolled = quarter.loc[quarter["to_state"].isin(OPEN_STATES[1:]), "loans"].sum()
	told["current_to_late"] = _share(int(rolled), int(quarter["loans"].sum()))
	return told


def _share(part: int, whole: int) -> dict[str, Any]:
	"""With its 95% bounds (Wilson)."""
	if not whole:
		return {"loans": part, "n": whole, "share": None, "low": None, "high": None}
	low, high = wilson_bounds(part, whole)
	return {"loans": part, "n": whole, "share": part / whole, "low": float(low), "high": float(high)}


def _name_months(frame: pd.DataFrame) -> pd.DataFrame:
	return frame.assign(month=[month_of(int(month)) for month in frame["month"]])
