"""Arrears as the Reserve Bank of India names them before a loan is non-performing."""

import numpy as np
import pandas as pd


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
