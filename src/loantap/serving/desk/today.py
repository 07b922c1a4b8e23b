"""The day on which applications are decided."""

import time
from functools import lru_cache

import pandas as pd

_SECONDS_PER_DAY = 86_400


def find_today() -> pd.Timestamp:
    """Today in UTC; the same object all day, since readers remember by it."""
    return _of_day(int(time.time() // _SECONDS_PER_DAY))


@lru_cache(maxsize=2)
def _of_day(days: int) -> pd.Timestamp:
    return pd.Timestamp(days, unit="D")
