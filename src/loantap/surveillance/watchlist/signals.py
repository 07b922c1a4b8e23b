"""What the triggers say of each month of a loan."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
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
