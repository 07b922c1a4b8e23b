"""Features out of typed applications."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from loantap.features.definitions import FEATURES
from loantap.portfolio.amortisation import MONTHS_PER_YEAR
from loantap.portfolio.dictionary import SUB_GRADES

MISSING = "missing"
_DAYS_PER_YEAR = 365.25
# An income below this is a typing error or a zero; ratios to it would swamp the scale.
_LEAST_INCOME = 1_000.0
# Beyond these the sample holds a handful of loans; a linear model must not extrapolate from them.
_CEILINGS = {
    "dti_pct": 60.0,
    "revolving_utilisation_pct": 120.0,
    "mortgage_accounts": 6.0,
    "public_records": 3.0,
    "bankruptcies": 2.0,
}
_SUB_GRADE_RANK = {grade: float(rank) for rank, grade in enumerate(SUB_GRADES)}


def build_features(applications: pd.DataFrame, names: Sequence[str] = ()) -> pd.DataFrame:
    """Compute model features.

    Args:
        applications: one row per application, typed canonical columns (those the features use).
        names: the features wanted; all when empty.

    Returns:
        One row per application, same index; numeric features as float64 with missing values left
        missing, categorical ones as text with `missing` written out, so that training and serving
        can never treat an absent value differently.
    """
    return pd.DataFrame(
        {name: _build_one(applications, name) for name in names or tuple(FEATURES)},
        index=applications.index,
    )


def _build_one(rows: pd.DataFrame, name: str) -> pd.Series:
    match name:
        case "log_loan_amount":
            return _log(rows["loan_amount"])
        case "is_60_months":
            return rows["term_months"].eq(60).astype("float64")
        case "log_annual_income":
            return _log(_income(rows))
        case "loan_to_income":
            return rows["loan_amount"] / _income(rows)
        case "instalment_to_income":
            return rows["instalment"] * MONTHS_PER_YEAR / _income(rows)
        case "log_revolving_balance":
            return _log(rows["revolving_balance"] + 1)
        case "sub_grade_rank":
            return rows["sub_grade"].map(_SUB_GRADE_RANK).astype("float64")
        case "credit_history_years":
            days = (rows["issue_month"] - rows["earliest_credit_line"]).dt.days
            return days / _DAYS_PER_YEAR
        case _ if FEATURES[name].categorical:
            return rows[name].astype("str").fillna(MISSING)
        case _:
            return rows[name].astype("float64").clip(upper=_CEILINGS.get(name))


def _log(values: pd.Series) -> pd.Series:
    return pd.Series(np.log(values.to_numpy()), index=values.index)


def _income(rows: pd.DataFrame) -> pd.Series:
    return rows["annual_income"].clip(lower=_LEAST_INCOME)
