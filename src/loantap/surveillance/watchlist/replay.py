"""What the triggers say of each month of a loan, and the list as it went from month to month.

Nothing is stored from one run to the next, so a month run again gives the same list.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.surveillance.options import LEVELS, Trigger


@dataclass(frozen=True, slots=True)
class Signals:
  """One value per row.

  Attributes:
      fired: bit n is set where trigger n puts the loan on the list.
      level: highest level among these: 0 for none, 1 for the lightest.
      is_quiet: whether no trigger is even at the value at which a loan may leave, and none is
          unknown because its figure did not arrive that month.
  """

  fired: IntArray
  level: IntArray
  is_quiet: BoolArray


def read_signals(rows: pd.DataFrame, triggers: Mapping[str, Trigger], failed: pd.DataFrame) -> Signals:
  """Compare each row's figures, with `pd_12m`, with the triggers.

  A figure that one loan lacks says nothing. `failed` are months and figures that did not arrive
  for anybody: `month`, `figure`.
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
      is_listed: after this month.
      level: of its entry: the highest raised in the last months, as many as make it leave.
      last_raised: place of the last month in which a trigger put it there.
      first_listed: place of the month in which it came on the list, this time.
      escalated: place of the month in which its level last rose; -1 for never.
  """

  is_listed: BoolArray
  level: IntArray
  last_raised: IntArray
  first_listed: IntArray
  escalated: IntArray


def replay(signals: Signals, loans: npt.ArrayLike, quiet_months: int) -> Course:
  """Enter the list where a trigger fires, leave it after so many quiet months in a row.

  `signals` and `loans`, its number, have a row per month, each loan's in a row and in order.
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
