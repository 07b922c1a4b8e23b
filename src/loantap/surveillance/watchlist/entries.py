"""Entries of the list out of the months of some loans: their triggers replayed, and the words for them.

Nothing is stored from one run to the next, so a month run again gives the same list.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.surveillance.options import LEVELS, QUEUES, Queue, Trigger, WatchlistOptions

_SHARES = ("pd_", "payment_to_", "balance_share")
Forecast = Callable[[pd.DataFrame], pd.DataFrame]
TREND_MONTHS: Final = 12
_TRENDS: Final = {"trend_utilisation": "utilisation_pct", "trend_dti": "dti_pct", "trend_dpd": "days_past_due"}


@dataclass(frozen=True, slots=True)
class Signals:
	"""One value per row.

	Attributes:
		fired: bit n is set where trigger n puts the loan on the list.
		level: highest level among these: 0 for none, 1 for the lightest.
		is_quiet: whether no trigger is even at the value for leaving, or unknown because its figure did not arrive.
	"""

	fired: IntArray
	level: IntArray
	is_quiet: BoolArray


def read_signals(rows: pd.DataFrame, triggers: Mapping[str, Trigger], failed: pd.DataFrame) -> Signals:
	"""Compare each row's figures, with `pd_12m`, with the triggers.

	A figure that one loan lacks says nothing; those `failed` did not arrive for anybody: `month`, `figure`.
	"""
	fired = np.zeros(len(rows), dtype=np.int64)
	level = np.zeros(len(rows), dtype=np.int64)
	is_quiet = np.ones(len(rows), dtype=bool)
	for bit, trigger in enumerate(triggers.values()):
		values = rows[trigger.figure].to_numpy()
		is_at = _compare(values, trigger.enter, trigger)
		fired |= is_at.astype(np.int64) << bit
		level = np.maximum(level, np.where(is_at, LEVELS.index(trigger.level) + 1, 0))
		is_quiet &= ~_compare(values, trigger.leave, trigger)
	for figure, months in failed.groupby("figure")["month"]:
		if any(trigger.figure == figure for trigger in triggers.values()):
			is_quiet &= ~rows["month"].isin(months).to_numpy()
	return Signals(fired, level, is_quiet)


def _compare(values: FloatArray, limit: float, trigger: Trigger) -> BoolArray:
	reached: BoolArray = values <= limit if trigger.is_low_bad else values >= limit
	return reached


@dataclass(frozen=True, slots=True)
class Course:
	"""One value per row; places are numbers of rows, and say nothing where `is_listed` is not.

	Attributes:
		level: of its entry: the highest raised in the months that make it leave.
		last_raised: place of the last month that put it there.
		first_listed: place of the month in which it came, this time.
		escalated: place of the last rise of its level; -1 for never.
	"""

	is_listed: BoolArray
	level: IntArray
	last_raised: IntArray
	first_listed: IntArray
	escalated: IntArray


def replay(signals: Signals, loans: npt.ArrayLike, quiet_months: int) -> Course:
	"""Enter the list where a trigger fires, leave it after so many quiet months in a row.

	`signals` and `loans` have a row per month, each loan's together and in order.
	"""
	numbers = np.asarray(loans)
	place = np.arange(len(numbers))
	is_first = np.append(True, numbers[1:] != numbers[:-1])[: len(numbers)]
	start = _last(is_first)
	raised = _last(signals.level > 0)
	quiet_since = np.maximum(_last(~signals.is_quiet), start - 1)
	left = _last(place - quiet_since >= quiet_months)
	is_listed = raised > np.maximum(left, start - 1)
	was_listed = np.append(False, is_listed[:-1])[: len(numbers)] & ~is_first
	first_listed = _last(is_listed & ~was_listed)
	level = np.zeros_like(signals.level)
	for back in range(min(quiet_months, len(numbers))):
		earlier = np.append(np.zeros(back, dtype=np.int64), signals.level[: len(numbers) - back])
		level = np.maximum(level, np.where(place - back >= first_listed, earlier, 0))
	# It stays listed while nothing fires and nothing is quiet.
	level = np.where(is_listed, np.maximum(level, 1), 0)
	rose = is_listed & was_listed & (level > np.append(0, level[:-1])[: len(numbers)])
	escalated = _last(rose)
	return Course(is_listed, level, raised, first_listed, np.where(escalated > first_listed, escalated, -1))


def _last(happens: BoolArray) -> IntArray:
	"""Place of the last row, up to each, in which something happens; -1 before the first."""
	places: IntArray = np.maximum.accumulate(np.where(happens, np.arange(len(happens)), -1))
	return places


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

	`notes`: what else the reader must know, if not empty.
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
		loss_given_default: share of the balance at default that is lost.
		forecast: the 12-month PD of rows of the panel, as `pd_12m`.
	"""

	month: pd.Timestamp
	failed: pd.DataFrame
	loss_given_default: float
	options: WatchlistOptions
	forecast: Forecast


@dataclass(frozen=True, slots=True)
class Listed:
	"""Entries, see `schemas.WATCHLIST`, without ranks; how many `left` in a month; the last month of each loan.

	`last` has `loan_id`, `days_past_due`.
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
