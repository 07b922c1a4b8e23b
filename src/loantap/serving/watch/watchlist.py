"""The watch-list that the last run left, with the plan of help for each of its loans."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from loantap.portfolio.dictionary import REAL
from loantap.portfolio.errors import InputError
from loantap.serving.watch.errors import NotListedError, NoWatchlistError

FILTERS: Final = ("queue", "level", "action")
TRENDS: Final = {"utilisation": "trend_utilisation", "dti": "trend_dti", "days_past_due": "trend_dpd"}
_LISTED: Final = [
    *"loan_id as_of_month rank queue level reason triggers sma days_past_due outstanding_balance".split(),
    *"pd_12m expected_loss expected_loss_avoidable first_seen escalated_in origin events_origin".split(),
    *TRENDS.values(),
]
_PLANNED: Final = [
    *"loan_id as_of_month action why emi_now emi_new emi_later step_months months_left months_left_new".split(),
    *"shift_days dti_now dti_new cost loss_avoided net_benefit".split(),
]
_REMEDY: Final = "Run `kedro run --pipelines early_warning`, which writes it"

_Stamp = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class WatchedLoan:
    """A loan of the list by column, and its plan; None where no plan was made."""

    facts: dict[str, Any]
    plan: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Watchlist:
    """The list of a month, by rank.

    Attributes:
        loans: columns of the list, and `action` of the plan, "" where none was made.
        plans: by `loan_id`, of the list's month alone.
    """

    loans: pd.DataFrame
    plans: pd.DataFrame

    @property
    def as_of_month(self) -> str | None:
        """Month of the list, such as 2017-03; None where no loan is on it."""
        return None if self.loans.empty else f"{self.loans['as_of_month'].iloc[0]:%Y-%m}"

    @property
    def is_simulated(self) -> bool:
        """Whether loans or their months were made up."""
        return bool((self.loans[["origin", "events_origin"]] != REAL).to_numpy().any())

    def count(self, name: str) -> dict[str, int]:
        """Loans by queue, level or action."""
        return {str(value): int(n) for value, n in self.loans[name].value_counts().items() if value}

    def select(self, after: int, limit: int, **wanted: str) -> tuple[list[WatchedLoan], int]:
        """Loans behind a rank whose columns are as wanted ("" for any), and how many are so at any rank."""
        found = self.loans
        for name, value in wanted.items():
            found = found[found[name].eq(value)] if value else found
        return self._tell(found[found["rank"].gt(after)].head(limit)), len(found)

    def find(self, loan_id: str) -> WatchedLoan:
        """One loan of the list; `NotListedError` where it is not on it."""
        found = self._tell(self.loans[self.loans["loan_id"].eq(loan_id)])
        if not found:
            raise NotListedError(
                f"loan {loan_id[:60]!a}", "it is not on the watch-list", "GET /v1/watchlist lists the loans on it"
            )
        return found[0]

    def _tell(self, loans: pd.DataFrame) -> list[WatchedLoan]:
        plans = self.plans[self.plans.index.isin(loans["loan_id"])]
        known = dict(zip(plans.index, _list_plain(plans), strict=True))
        return [WatchedLoan(facts, known.get(facts["loan_id"])) for facts in _list_plain(loans)]


class WatchlistFiles:
    """The list's two files in a folder of reports, kept in memory until they change."""

    def __init__(self, folder: Path) -> None:
        self._list, self._plans = folder / "watchlist.parquet", folder / "help_plans.parquet"
        self._lock = threading.Lock()
        self._held: tuple[tuple[_Stamp, _Stamp], Watchlist] | None = None

    def read(self) -> Watchlist:
        """The list as it is now; without plans where no run has made them.

        Raises:
            NoWatchlistError: no run has left a list.
            InputError: a file cannot be read.
        """
        with self._lock:
            # Before the content: what changes in between is read again the next time.
            stamps = (_stamp(self._list), _stamp(self._plans))
            if stamps[0] is None:
                raise NoWatchlistError(str(self._list), "no run has left a watch-list yet", _REMEDY)
            if self._held is None or self._held[0] != stamps:
                self._held = stamps, self._load(has_plans=stamps[1] is not None)
            return self._held[1]

    def _load(self, *, has_plans: bool) -> Watchlist:
        listed = _read(self._list, _LISTED).sort_values("rank", ignore_index=True)
        plans = _read(self._plans, _PLANNED) if has_plans else pd.DataFrame(columns=_PLANNED)
        # Plans of another month were made for another list.
        plans = plans[plans["as_of_month"].isin(listed["as_of_month"])].set_index("loan_id")
        return Watchlist(listed.assign(action=listed["loan_id"].map(plans["action"]).astype("str").fillna("")), plans)


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    try:
        return pd.read_parquet(path, columns=list(columns))
    except (OSError, ValueError, KeyError) as error:  # pyarrow's own errors are ValueErrors
        raise InputError(str(path), f"it cannot be read: {error}", _REMEDY) from error


def _list_plain(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows by column: months as text, None for what is missing."""
    return [{str(name): _plain(value) for name, value in row.items()} for row in rows.to_dict("records")]


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    return f"{value:%Y-%m}" if isinstance(value, pd.Timestamp) else value
