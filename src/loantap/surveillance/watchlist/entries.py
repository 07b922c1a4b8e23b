"""Entries of the list out of the months of some loans, and the words for them."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from loantap.portfolio.arrays import IntArray
from loantap.surveillance.options import LEVELS, QUEUES, Queue, Trigger, WatchlistOptions
from loantap.surveillance.watchlist.replay import Course, read_signals, replay

_SHARES = ("pd_", "payment_to_", "balance_share")
Forecast = Callable[[pd.DataFrame], pd.DataFrame]
TREND_MONTHS: Final = 12
_TRENDS: Final = {"trend_utilisation": "utilisation_pct", "trend_dti": "dti_pct", "trend_dpd": "days_past_due"}


def name_sma(days_past_due: pd.Series) -> pd.Series:
  """The special mention account of each loan; empty for one that is not overdue, or is past it.

  By age of the oldest unpaid instalment: SMA-0 up to 30 days, SMA-1 31 to 60, SMA-2 61 to 90;
  beyond, a loan is non-performing.

  Source: Reserve Bank of India, Prudential Framework for Resolution of Stressed Assets
  Directions, 7 June 2019, paragraph 7.
  """
  days = days_past_due.to_numpy()
  names = np.select([days <= 0, days <= 30, days <= 60, days <= 90], ["", "SMA-0", "SMA-1", "SMA-2"], "")
  return pd.Series(names, index=days_past_due.index, dtype="str")


def list_fired(fired: int, triggers: Mapping[str, Trigger]) -> list[str]:
  """Names of the triggers whose bit is set, the most serious first, one on each figure."""
  names = [name for bit, name in enumerate(triggers) if fired >> bit & 1]
  told: dict[str, str] = {}
  for name in sorted(names, key=lambda name: -LEVELS.index(triggers[name].level)):
    told.setdefault(triggers[name].figure, name)
  return list(told.values())


def choose_queue(names: list[str], triggers: Mapping[str, Trigger]) -> Queue:
  """Who deals with an entry: of its most serious triggers, the one that asks for most."""
  worst = LEVELS.index(triggers[names[0]].level)
  queues = [t.queue for t in map(triggers.__getitem__, names) if LEVELS.index(t.level) == worst]
  return max(queues, key=QUEUES.index)


def word_reason(row: Mapping[Hashable, Any], names: list[str], triggers: Mapping[str, Trigger], *notes: str) -> str:
  """One sentence: what each trigger saw in the row, the month in which it fired.

  `notes` are what else the reader must know; empty ones are left out.
  """
  told = [
    triggers[name].words.format(value=_word_value(triggers[name].figure, float(row[triggers[name].figure])))
    for name in names
  ]
  text = "; ".join([*told, *filter(None, notes)])
  return f"{text[:1].upper()}{text[1:]}."


def _word_value(figure: str, value: float) -> str:
  """A figure as a person writes it: shares in percent.

  >>> _word_value("pd_12m", 0.184), _word_value("dti_change_3m", 6.25), _word_value("dti_pct", 60)
  ('18%', '6.2', '60')
  """
  if figure.startswith(_SHARES):
    return f"{value:.0%}"
  return f"{abs(value):.1f}".removesuffix(".0")


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
