"""Roll rates and arrears: how loans move between states from one month to the next."""

from typing import Final

import duckdb
import pandas as pd

from loantap.measures.intervals import wilson_bounds
from loantap.surveillance.book.ledger import OPEN_STATES, STATES

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


def count_moves(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
  """Moves of loans from one month's end to the next: one row per month, state and next state.

  Returns:
      `month` (of the later end, as the ledger has it), `from_state`, `to_state`, `loans`,
      `balance` (at the earlier end). A step over a missing month is no move.
  """
  return pd.DataFrame(connection.execute(_MOVES).df())


def sum_arrears(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
  """Loans and balance by state at the end of each month; of charged-off loans those of the month.

  Returns:
      `month`, `state`, `loans`, `balance`.
  """
  return pd.DataFrame(connection.execute(_ARREARS).df())


def rate_moves(moves: pd.DataFrame) -> pd.DataFrame:
  """Share of the loans of a state that moved to each state, in the months of `moves`.

  Returns:
      One row per open state that any loan was in, and state it may move to: `from_state`,
      `to_state`, `loans` (that moved), `from_loans`, `share` with its Wilson bounds `low` and
      `high`, and `balance_share`. The shares of a state sum to 1.
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
      `month`, `from_state`, `loans` (that were worse), `from_loans`, `share`, `low`, `high`.
      Worse is further down the buckets, or charged off.
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
