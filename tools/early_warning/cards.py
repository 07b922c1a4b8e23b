"""Real monthly behaviour of card holders, read as early warning reads loans.

UCI "default of credit card clients" (Yeh and Lien, 2009; CC BY 4.0): six months of bills, payments
and delay codes, and whether the next month's payment was missed. Month 1 is the last one. A missing
delay code stands for -1, "paid in full". Age, sex, marriage and education are never read.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from loantap.portfolio.arrays import BoolArray, IntArray
from loantap.portfolio.errors import InputError

MONTHS: Final = range(1, 7)
_LIMIT: Final = "LIMIT_BAL"
_TARGET: Final = "default.payment.next.month"
_DELAYS: Final = {month: f"PAY_{0 if month == 1 else month}" for month in MONTHS}
_BILLS: Final = {month: f"BILL_AMT{month}" for month in MONTHS}
_PAYMENTS: Final = {month: f"PAY_AMT{month}" for month in MONTHS}
RAW_COLUMNS: Final = (_LIMIT, *_DELAYS.values(), *_BILLS.values(), *_PAYMENTS.values())
_IDLE, _PAID_IN_FULL = -2, -1


@dataclass(frozen=True, slots=True)
class Cards:
    """Card holders, one row each.

    Attributes:
        raw: `RAW_COLUMNS` as they came, missing delay codes as -1.
        target: 1 where the next month's payment was missed.
        utilisation: bill over limit: levels and trends.
        utilisation_trend: its changes alone.
        payments: payments against the bill before, and new spending, without delay codes.
        arrears: months late, and whether a month was paid in full or idle.
    """

    raw: pd.DataFrame
    target: IntArray
    utilisation: pd.DataFrame
    utilisation_trend: pd.DataFrame
    payments: pd.DataFrame
    arrears: pd.DataFrame

    @property
    def is_current(self) -> BoolArray:
        """Who is not in arrears in the last month."""
        return np.asarray(self.raw[_DELAYS[1]] <= 0)

    @property
    def never_late(self) -> BoolArray:
        """Who was not in arrears in any of the six months."""
        return np.asarray((self.raw[[*_DELAYS.values()]] <= 0).all(axis=1))


def read_cards(path: Path) -> Cards:
    """Read the file; columns that are not used, those of the person among them, are not read.

    Raises:
        InputError: the file is not there, or lacks a column.
    """
    if not path.is_file():
        raise InputError(
            str(path),
            "there is no such file",
            "Give the UCI data 'default of credit card clients' as Parquet: --data FILE.parquet",
        )
    lacking = sorted({*RAW_COLUMNS, _TARGET} - set(pq.read_schema(path).names))
    if lacking:
        raise InputError(
            str(path), f"column {', '.join(lacking)} is missing", "Give the file with all columns"
        )
    return adapt(pd.read_parquet(path, columns=[*RAW_COLUMNS, _TARGET]))


def adapt(rows: pd.DataFrame) -> Cards:
    """Make features of raw rows: `RAW_COLUMNS` and the target."""
    delays = rows[[*_DELAYS.values()]].fillna(_PAID_IN_FULL).set_axis(MONTHS, axis=1)
    limit = rows[_LIMIT]
    bills = rows[[*_BILLS.values()]].set_axis(MONTHS, axis=1)
    payments = rows[[*_PAYMENTS.values()]].set_axis(MONTHS, axis=1)
    used = bills.div(limit, axis=0).clip(-0.5, 2)
    trend = pd.DataFrame({f"utilisation_change_{m - 1}m": used[1] - used[m] for m in (2, 4, 6)})
    levels = used.add_prefix("utilisation_").assign(
        utilisation_mean=used.mean(axis=1), utilisation_max=used.max(axis=1)
    )
    return Cards(
        raw=rows[[*RAW_COLUMNS]].assign(**{name: delays[m] for m, name in _DELAYS.items()}),
        target=rows[_TARGET].to_numpy(),
        utilisation=levels.join(trend),
        utilisation_trend=trend,
        payments=_describe_payments(bills, payments, limit),
        arrears=_describe_arrears(delays),
    )


# What credit sense holds against a borrower (1) or for one (-1), by the beginning of the name.
_SIGNS: Final = {
    "limit": -1, "paid": -1, "payment": -1, "late": 1, "months_late": 1, "no_payment": 1,
}  # fmt: skip


def tell_sign(feature: str) -> int:
    """1 where more of a feature never lowers the risk, -1 where it never raises it, else 0."""
    return next((sign for start, sign in _SIGNS.items() if feature.startswith(start)), 0)


def _describe_payments(
    bills: pd.DataFrame, payments: pd.DataFrame, limit: pd.Series
) -> pd.DataFrame:
    # A payment answers the bill of the month before.
    before = bills.drop(columns=1).set_axis(MONTHS[:-1], axis=1)
    answered = payments.drop(columns=6)
    paid = (answered / before.where(before > 0)).clip(0, 2)
    spent = (bills.drop(columns=6) - before + answered).div(limit, axis=0).clip(-1, 2)
    logs = payments.transform(np.log1p).add_prefix("payment_")
    months = [paid.add_prefix("paid_share_"), spent.add_prefix("spent_"), logs]
    return pd.concat(months, axis=1).assign(
        limit=np.log(limit),
        paid_share_mean=paid.mean(axis=1),
        paid_share_least=paid.min(axis=1),
        payment_sum=np.log1p(payments.sum(axis=1)),
        payment_least=np.log1p(payments.min(axis=1)),
        payment_to_limit=(payments.mean(axis=1) / limit).clip(0, 2),
        no_payment_months=payments.eq(0).sum(axis=1).astype(float),
    )


def _describe_arrears(delays: pd.DataFrame) -> pd.DataFrame:
    late = delays.clip(lower=0)
    in_full = delays.eq(_PAID_IN_FULL).astype(float).add_prefix("in_full_")
    idle = delays.eq(_IDLE).astype(float).add_prefix("idle_")
    return pd.concat([late.add_prefix("late_"), in_full, idle], axis=1).assign(
        late_worst=late.max(axis=1),
        late_worst_3m=late[[1, 2, 3]].max(axis=1),
        late_sum=late.sum(axis=1),
        months_late=(late > 0).sum(axis=1).astype(float),
    )
