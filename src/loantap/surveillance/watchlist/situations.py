"""Where each running loan stands: which are judged, and why the others are not."""

from enum import StrEnum
from typing import Final

import pandas as pd

from loantap.portfolio.dictionary import CURRENT, LATE_31_120
from loantap.portfolio.errors import InputError
from loantap.surveillance.watchlist.options import WatchlistOptions
from loantap.tables.database import connect
from loantap.tables.rows import LongTable, frame_of, read_batches


class Situation(StrEnum):
    """Where a running loan stands in the month of the list; the first two are judged."""

    JUDGED = "judged"
    STALE = "stale"
    TOO_STALE = "too_stale"
    IN_DEFAULT = "in_default"
    ENDED = "ended"
    NO_MONTHS = "no_months"


_MEANINGS: Final = {
    Situation.JUDGED: "judged",
    Situation.STALE: "judged on older figures: its last month is behind the list's",
    Situation.TOO_STALE: "not judged: its last month is too far behind the list's",
    Situation.IN_DEFAULT: "not judged: in default before its last month, a case for recoveries",
    Situation.ENDED: "not judged: its months say that nothing is owed, its status that it runs",
    Situation.NO_MONTHS: "not judged: it has no months",
}
_LAST = """
SELECT
    loan_id,
    max(month) AS last_month,
    min(month) FILTER (WHERE days_past_due >= $default_days) AS default_month,
    bool_or(outstanding_balance <= 0) AS has_ended,
    arg_max(days_past_due, month) AS days_past_due
FROM months
WHERE loan_id IN (SELECT loan_id FROM running) AND month <= $latest
GROUP BY loan_id
"""


def explain_situation(situation: str) -> str:
    """What a situation means, in words."""
    return _MEANINGS[Situation(situation)]


def is_judged(situations: pd.DataFrame) -> pd.Series:
    """Which loans the list can hold."""
    return situations["situation"].isin([Situation.JUDGED, Situation.STALE])


def find_last_months(
    months: pd.DataFrame | LongTable,
    running: pd.DataFrame,
    latest: pd.Timestamp,
    default_days: int,
) -> pd.DataFrame:
    """What the months say of each running loan: one row per loan, of a table of any size.

    Args:
        months: as `loan_months` has them.
        running: loans that run: `loan_id`, `loan_status`.
        latest: months after it are not looked at.
        default_days: days past due from which a loan is in default.

    Returns:
        `loan_id, loan_status, last_month, default_month, has_ended, days_past_due`; all but the
        first two missing for a loan without months.
    """
    names = ("loan_id", "month", "outstanding_balance", "days_past_due")
    ids = running[["loan_id"]]
    parts = []
    with connect() as connection:
        connection.register("running", ids)
        # Loans are in order, so that one can be in two batches only at their edge.
        for batch in read_batches(months, names):
            connection.register("months", batch)
            found = connection.sql(_LAST, params={"latest": latest, "default_days": default_days})
            parts.append(frame_of(found.to_arrow_table()))
            connection.unregister("months")
    both = pd.concat(parts).sort_values(["loan_id", "last_month"], kind="stable")
    joined = both.groupby("loan_id", as_index=False).agg(
        last_month=("last_month", "max"),
        default_month=("default_month", "min"),
        has_ended=("has_ended", "max"),
        days_past_due=("days_past_due", "last"),
    )
    return running[["loan_id", "loan_status"]].merge(joined, on="loan_id", how="left")


def choose_month(last_months: pd.DataFrame, options: WatchlistOptions) -> pd.Timestamp:
    """The month of the list: the last one in which enough running loans have figures.

    A month that has only begun to arrive does not count, so that a few early loans do not make
    all others stale.

    Raises:
        InputError: no running loan has a month.
    """
    known = last_months["last_month"].dropna().sort_values(ascending=False, ignore_index=True)
    if known.empty:
        raise InputError(
            "table loan_months",
            f"none of the {len(last_months):,} running loans has a month up to the day of the run",
            "Load the events of running loans, or give a later as_of",
        )
    needed = max(1, round(options.min_month_share * len(known)))
    return pd.Timestamp(known[needed - 1])


def find_situations(
    last_months: pd.DataFrame, month: pd.Timestamp, max_stale_months: int
) -> pd.DataFrame:
    """Where each running loan stands in the month of the list.

    Args:
        last_months: see `find_last_months`.
        month: of the list.
        max_stale_months: see `WatchlistOptions`.

    Returns:
        One row per running loan: `loan_id, situation, last_month, months_behind, contradiction`;
        the last says where status and months disagree, and is empty where they do not.
    """
    last = last_months["last_month"]
    behind = (month.year - last.dt.year) * 12 + month.month - last.dt.month
    situation = pd.Series(Situation.JUDGED.value, index=last.index, dtype="str")
    situation = situation.mask(behind > 0, Situation.STALE)
    situation = situation.mask(behind > max_stale_months, Situation.TOO_STALE)
    situation = situation.mask(last_months["default_month"] < last, Situation.IN_DEFAULT)
    situation = situation.mask(last_months["has_ended"].eq(True), Situation.ENDED)
    situation = situation.mask(last.isna(), Situation.NO_MONTHS)
    return pd.DataFrame(
        {
            "loan_id": last_months["loan_id"],
            "situation": situation,
            "last_month": last,
            "months_behind": behind.clip(lower=0),
            "contradiction": _contradict(last_months),
        }
    )


def _contradict(loans: pd.DataFrame) -> pd.Series:
    """Where the status of a loan and its last month cannot both be right."""
    status, days = loans["loan_status"], loans["days_past_due"]
    nothing = pd.Series("", index=loans.index, dtype="str")
    contradiction = nothing.mask(
        status.eq(CURRENT) & days.gt(0), "its status says current, its months that it is overdue"
    )
    return contradiction.mask(
        status.eq(LATE_31_120) & days.eq(0),
        "its status says 31 to 120 days late, its months that nothing is overdue",
    )
