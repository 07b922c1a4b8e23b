"""The list as it went from month to month, replayed from the months themselves.

Nothing is stored from one run to the next, so a month run again gives the same list.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loantap.portfolio.arrays import BoolArray, IntArray
from loantap.surveillance.watchlist.signals import Signals


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
