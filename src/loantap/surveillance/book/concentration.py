"""Concentration: where the balance that is owed lies, as of the snapshot."""

from typing import Final

import duckdb
import pandas as pd

from loantap.measures.intervals import wilson_bounds

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


def measure_concentration(connection: duckdb.DuckDBPyConnection, snapshot: int) -> pd.DataFrame:
    """Balance by grade, term, purpose and state of the loans that run at a month's end.

    Returns:
        One row per `dimension` and `segment`, the largest balance first: `loans`, `balance`, `balance_share`,
        `loans_30` and `balance_30` (30 days past due or more), `share_30` of its loans with Wilson bounds `low` and
        `high`, and `herfindahl` of the dimension: the sum of squared shares, 1 where all is in one segment.
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
