"""The watch-list that the last run left, with the plan of help for each of its loans."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pandas as pd

from loantap.portfolio.dictionary import REAL
from loantap.portfolio.errors import InputError
from loantap.serving.errors import NotThereError
from loantap.serving.help.offer import Plan, WatchedLoan
from loantap.surveillance.help.actions import Action
from loantap.surveillance.options import LEVELS, QUEUES

FILTERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
  {"queue": QUEUES, "level": LEVELS, "action": tuple(Action)}
)
_LISTED: Final = [name for name in WatchedLoan.model_fields if name not in {"plan", "offers"}]
# Plans of another month, or of other data, were made for another list.
_OF_LIST: Final = ["loan_id", "as_of_month", "origin", "events_origin"]
_PLANNED: Final = [*_OF_LIST, *Plan.model_fields]
_REMEDY: Final = "Run `kedro run --pipelines early_warning`, which writes it"

_Stamp = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Watchlist:
  """The list of a month, by rank.

  Attributes:
      loans: as listed, and the plan's `action`, "" where none was made.
      plans: by `loan_id`.
  """

  loans: pd.DataFrame
  plans: pd.DataFrame

  @property
  def is_simulated(self) -> bool:
    """Whether loans or their months were made up."""
    return bool((self.loans[["origin", "events_origin"]] != REAL).to_numpy().any())

  def count(self) -> dict[str, dict[str, int]]:
    """Loans by queue, level and action."""
    return {name: {str(v): int(n) for v, n in self.loans[name].value_counts().items() if v} for name in FILTERS}

  def select(self, after: int, limit: int, **wanted: str) -> tuple[list[WatchedLoan], int]:
    """Loans behind a rank whose columns are as wanted ("" for any); how many are so at any rank."""
    found = self.loans
    for name, value in wanted.items():
      found = found[found[name].eq(value)] if value else found
    return self._tell(found[found["rank"].gt(after)].head(limit)), len(found)

  def find(self, loan_id: str) -> WatchedLoan:
    """One loan; `NotThereError` where it is not on the list."""
    for loan in self._tell(self.loans[self.loans["loan_id"].eq(loan_id)]):
      return loan
    raise NotThereError(f"loan {loan_id[:60]!a}", "it is not on the watch-list", "GET /v1/watchlist lists it")

  def _tell(self, loans: pd.DataFrame) -> list[WatchedLoan]:
    rows = self.plans[self.plans.index.isin(loans["loan_id"])]
    plans = {loan: _fill(row) for loan, row in rows.to_dict("index").items()}
    return [
      WatchedLoan.model_validate(_fill(row) | {"plan": plans.get(row["loan_id"])})
      for row in loans[_LISTED].to_dict("records")
    ]


class WatchlistFiles:
  """The list's two files in a folder of reports, kept in memory until they change."""

  def __init__(self, folder: Path) -> None:
    self._list, self._plans = folder / "watchlist.parquet", folder / "help_plans.parquet"
    self._lock = threading.Lock()
    self._held: tuple[tuple[_Stamp, _Stamp], Watchlist] | None = None

  def read(self) -> Watchlist:
    """The list as it is now; without plans where no run has made them.

    Raises:
        NotThereError: no run has left a list.
        InputError: a file cannot be read.
    """
    with self._lock:
      # Before the content: what changes in between is read again the next time.
      stamps = (_stamp(self._list), _stamp(self._plans))
      if stamps[0] is None:
        raise NotThereError(str(self._list), "no run has left a watch-list yet", _REMEDY)
      if self._held is None or self._held[0] != stamps:
        self._held = stamps, self._load(has_plans=stamps[1] is not None)
      return self._held[1]

  def _load(self, *, has_plans: bool) -> Watchlist:
    listed = _read(self._list, _LISTED).sort_values("rank", ignore_index=True)
    plans = _read(self._plans, _PLANNED) if has_plans else pd.DataFrame(columns=_PLANNED)
    if has_plans:
      plans = plans.merge(listed[_OF_LIST], on=_OF_LIST)
    plans = plans.set_index("loan_id")[list(Plan.model_fields)]
    return Watchlist(listed.assign(action=listed["loan_id"].map(plans["action"]).astype("str").fillna("")), plans)


def _stamp(path: Path) -> _Stamp:
  try:
    found = path.stat()
  except (FileNotFoundError, NotADirectoryError):
    return None
  return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: Path, columns: list[str]) -> pd.DataFrame:
  try:
    return pd.read_parquet(path, columns=columns)
  except (OSError, ValueError, KeyError) as error:  # pyarrow's own errors are ValueErrors
    raise InputError(str(path), f"it cannot be read: {error}", _REMEDY) from error


def _fill(row: Mapping[Any, Any]) -> dict[str, Any]:
  return {name: None if pd.isna(value) else value for name, value in row.items()}
