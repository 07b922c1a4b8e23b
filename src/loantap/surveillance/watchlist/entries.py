"""Entries of the list out of the months of some loans."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from loantap.portfolio.arrays import IntArray
from loantap.surveillance.options import LEVELS, WatchlistOptions
from loantap.surveillance.watchlist.reasons import choose_queue, list_fired, name_sma, word_reason
from loantap.surveillance.watchlist.replay import Course, read_signals, replay

Forecast = Callable[[pd.DataFrame], pd.DataFrame]

TREND_MONTHS: Final = 12
_TRENDS: Final = {"trend_utilisation": "utilisation_pct", "trend_dti": "dti_pct", "trend_dpd": "days_past_due"}


@dataclass(frozen=True, slots=True)
class ListMonth:
  """What the list of a month is made with.

  Attributes:
      failed: see `read_signals`.
      loss_given_default: LGD, share of the balance at default that is lost.
      forecast: the 12-month PD of rows of the panel, as `pd_12m`.
  """

  month: pd.Timestamp
  failed: pd.DataFrame
  loss_given_default: float
  options: WatchlistOptions
  forecast: Forecast


@dataclass(frozen=True, slots=True)
class Listed:
  """Entries, and what became of the others.

  Attributes:
      entries: see `schemas.WATCHLIST`, without ranks.
      left: how many loans were on the list a month ago and are not now.
      last: the last month of each loan: `loan_id`, `days_past_due`.
  """

  entries: pd.DataFrame
  left: int
  last: pd.DataFrame


def list_loans(panel: pd.DataFrame, this: ListMonth) -> Listed:
  """Which of some loans are on the list, from all their months up to the list's.

  The panel has each loan's months in order.
  """
  rows = panel[panel["month"] <= this.month].reset_index(drop=True)
  if rows.empty:
    rows = rows.assign(pd_12m=pd.Series(dtype="float64"))
  else:
    rows = rows.assign(pd_12m=this.forecast(rows)["pd_12m"].to_numpy())
  signals = read_signals(rows, this.options.triggers, this.failed)
  loans = pd.factorize(rows["loan_id"])[0]
  course = replay(signals, loans, this.options.quiet_months)
  is_last = np.append(loans[1:] != loans[:-1], True)[: len(loans)]
  now = np.flatnonzero(is_last & course.is_listed)
  was = np.append(False, course.is_listed[:-1])[: len(loans)]
  same = np.append(False, loans[1:] == loans[:-1])[: len(loans)]
  left = int((is_last & ~course.is_listed & was & same).sum())
  last = rows.loc[is_last, ["loan_id", "days_past_due"]]
  return Listed(_describe(rows, course, signals.fired, now, this), left, last)


def _describe(rows: pd.DataFrame, course: Course, fired: IntArray, now: IntArray, this: ListMonth) -> pd.DataFrame:
  entries = rows.loc[now, ["loan_id", "days_past_due", "outstanding_balance", "pd_12m"]]
  months = rows["month"].to_numpy()
  levels = np.array(LEVELS, dtype=object)[course.level[now] - 1]
  shares = [this.options.avoidable.share(level) for level in levels]
  loss = entries["pd_12m"] * this.loss_given_default * entries["outstanding_balance"]
  escalated = course.escalated[now]
  return entries.assign(
    as_of_month=this.month.as_unit("s"),
    level=pd.Series(levels, index=entries.index, dtype="str"),
    **_explain(rows, course, fired, now, this),
    sma=name_sma(entries["days_past_due"]),
    expected_loss=loss,
    expected_loss_avoidable=loss * np.array(shares),
    first_seen=months[course.first_listed[now]],
    escalated_in=np.where(escalated < 0, np.datetime64("NaT", "s"), months[escalated]),
    **_draw_trends(rows, now),
    events_origin=rows.loc[now, "origin"],
  ).reset_index(drop=True)


def _explain(
  rows: pd.DataFrame, course: Course, fired: IntArray, now: IntArray, this: ListMonth
) -> dict[str, pd.Series]:
  """From the last month in which a trigger fired."""
  triggers = this.options.triggers
  raised = course.last_raised[now]
  texts: dict[str, list[str]] = {"triggers": [], "queue": [], "reason": []}
  figures = rows.iloc[raised].to_dict("records")
  at = rows.iloc[now]["month"]
  for row, bits, month in zip(figures, fired[raised], at, strict=True):
    names = list_fired(int(bits), triggers)
    texts["triggers"].append(", ".join(names))
    texts["queue"].append(choose_queue(names, triggers).value)
    texts["reason"].append(word_reason(row, names, triggers, *_note(row, month, this.month)))
  return {name: pd.Series(of, index=now, dtype="str") for name, of in texts.items()}


def _note(raised: Mapping[Any, Any], last: pd.Timestamp, month: pd.Timestamp) -> tuple[str, str]:
  """Says where the trigger or the loan's figures are not of this month."""
  was = f"this was in {raised['month']:%Y-%m}, nothing since" if raised["month"] < last else ""
  return was, f"its last figures are of {last:%Y-%m}" if last < month else ""


def _draw_trends(rows: pd.DataFrame, now: IntArray) -> dict[str, pd.Series]:
  """Figures of the last 12 calendar months, oldest first, `nan` where there is none."""
  places = now[:, None] - np.arange(TREND_MONTHS)
  near = rows.iloc[np.maximum(places, 0).ravel()]
  number = (near["month"].dt.year * 12 + near["month"].dt.month).to_numpy().reshape(places.shape)
  loans = near["loan_id"].to_numpy().reshape(places.shape)
  behind = number[:, :1] - number
  is_shown = (places >= 0) & (loans == loans[:, :1]) & (behind < TREND_MONTHS)
  first = TREND_MONTHS - 1 - np.where(is_shown, behind, 0).max(axis=1, initial=0)
  of_entry, column = np.nonzero(is_shown)[0], TREND_MONTHS - 1 - behind[is_shown]
  drawn = {}
  for name, figure in _TRENDS.items():
    values = np.full(places.shape, np.nan)
    values[of_entry, column] = near[figure].to_numpy().reshape(places.shape)[is_shown]
    texts = [" ".join(f"{v:.4g}" for v in row[start:]) for row, start in zip(values, first, strict=True)]
    drawn[name] = pd.Series(texts, index=now, dtype="str")
  return drawn
