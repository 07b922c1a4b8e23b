"""The target of every loan: which loans have one, and which of them defaulted."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from loantap.features.outcomes import find_outcomes
from loantap.measures.intervals import measure_default_rate
from loantap.measures.metrics import round_significant
from loantap.portfolio.dictionary import REAL, SIMULATED
from loantap.portfolio.errors import InputError
from loantap.portfolio.target import LABEL, Target, TargetAccount
from loantap.tables.rows import LongTable

OPEN: Final = "whose window was still open"
NO_MONTHS: Final = "without any month"
LATE_START: Final = "whose first month is missing"
UNSEEN: Final = "whose months end before the window does, without default or payment"


@dataclass(frozen=True, slots=True)
class Labelled:
    """Loans with their target in `is_charged_off`, one row each, by `loan_id`, and their account."""

    loans: pd.DataFrame
    account: TargetAccount


def label_loans(
    loans: pd.DataFrame, running_loans: pd.DataFrame, loan_months: pd.DataFrame | LongTable, target: Target
) -> Labelled:
    """Give every loan that has one its target.

    Over the life these are the resolved loans, as they are. Within a window they are all loans,
    whatever became of them since, whose window had closed at the snapshot, the last month of
    `loan_months`; month N after the month of issue belongs to it. `find_outcomes` says when a loan
    defaulted; one paid off before counts as good.

    Raises:
        InputError: no loan has the target.
    """
    months = target.window_months
    if months is None:
        return Labelled(loans, _account_for(loans, target, "resolved loans"))
    outcomes = find_outcomes(loan_months, loans, running_loans)
    book = pd.concat([loans.drop(columns=LABEL), running_loans], ignore_index=True)
    book = book.sort_values("loan_id", ignore_index=True)
    seen = book[["loan_id", "issue_month"]].merge(outcomes, on="loan_id", how="left")
    issued, end = _number(seen["issue_month"]), _number(seen["issue_month"]) + months
    default, last = _number(seen["default_month"]), _number(seen["last_month"])
    is_known = default.notna() | seen["paid_month"].notna() | last.ge(end)
    # A source need not report on the month of issue itself.
    faults = {
        OPEN: end.gt(last.max()),
        NO_MONTHS: last.isna(),
        LATE_START: _number(seen["first_month"]).gt(issued + 1),
        UNSEEN: ~is_known,
    }
    reason = np.select(list(faults.values()), list(faults), default="")
    labelled = book.assign(**{LABEL: default.le(end).astype("int8")})[reason == ""].reset_index(drop=True)
    left_out = {name: int((reason == name).sum()) for name in faults}
    if labelled.empty:
        told = ", ".join(f"{count:,} {name}" for name, count in left_out.items())
        raise InputError(f"--params target={target}", f"no loan has it: {told}", "Read loans with more months")
    snapshot = f"{outcomes['last_month'].max():%Y-%m}"
    population = f"loans, resolved and running, whose {months} months had ended by {snapshot}"
    return Labelled(labelled[[*loans]], _account_for(labelled, target, population, snapshot, left_out))


def require_real_months(target: Target, origin: str, months_origin: str) -> None:
    """Refuse a target that would be made of months which were made of the outcomes.

    Raises:
        InputError: the loans are real, their months simulated, and the target is read from months.
    """
    if not target.is_lifetime and (origin, months_origin) == (REAL, SIMULATED):
        raise InputError(
            f"--params target={target}",
            "loan_months of this portfolio are simulated from the outcomes of its loans: the target would be made up",
            f"Use target={Target.CHARGED_OFF}, or read real monthly events (--env odbc)",
        )


def _account_for(
    loans: pd.DataFrame,
    target: Target,
    population: str,
    snapshot: str | None = None,
    left_out: dict[str, int] | None = None,
) -> TargetAccount:
    defaulted = int(loans[LABEL].sum())
    rates = measure_default_rate(defaulted, len(loans)).columns
    return TargetAccount(
        name=target,
        definition=target.definition,
        population=population,
        n=len(loans),
        defaulted=defaulted,
        snapshot=snapshot,
        left_out=left_out or {},
        **{name: round_significant(rate) for name, rate in rates.items()},
    )


def _number(months: pd.Series) -> pd.Series:
    """Months counted from year 0; missing where there is none."""
    counted: pd.Series = months.dt.year * 12 + months.dt.month
    return counted
