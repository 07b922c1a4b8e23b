"""The target of every loan that has one."""

from typing import Any, Final

import numpy as np
import pandas as pd

from loantap.features.outcomes import NOT_LATE, find_outcomes
from loantap.measures.intervals import measure_default_rate
from loantap.measures.metrics import round_significant
from loantap.portfolio.assembly import events_origin, portfolio_origin
from loantap.portfolio.dictionary import REAL, SIMULATED
from loantap.portfolio.errors import InputError
from loantap.portfolio.target import Target
from loantap.tables.rows import LongTable

OPEN: Final = "whose window was still open"
NO_MONTHS: Final = "without a month"
LATE_START: Final = "whose first month is missing"
UNSEEN: Final = "whose months end before the window does, without default or payment"


def label_loans(
  loans: pd.DataFrame, running_loans: pd.DataFrame, loan_months: pd.DataFrame | LongTable, target: Target
) -> tuple[pd.DataFrame, dict[str, Any]]:
  """The loans that have the target, with it in `is_charged_off`, and their account, `target.json`.

  Over the life: the resolved loans. Within a window: all whose window, its last month included, had
  ended in the last month of `loan_months`. Raises InputError where there is none.
  """
  months = target.window_months
  if not months:
    return loans, _account_for(loans, target, "resolved loans", {})
  outcomes = find_outcomes(loan_months, loans, running_loans)
  book = pd.concat([loans, running_loans]).merge(outcomes, on="loan_id", how="left").sort_values("loan_id")
  issued, default, last = (_number(book[name]) for name in ("issue_month", "default_month", "last_month"))
  end = issued + months
  faults = {
    OPEN: end.gt(last.max()),
    NO_MONTHS: last.isna(),
    # A source need not report on the month of issue itself.
    LATE_START: _number(book["first_month"]).gt(issued + 1),
    # When a loan was charged off whose months end with nothing overdue, nobody saw.
    UNSEEN: (default.isna() & book["paid_month"].isna() | book["contradiction"].eq(NOT_LATE)) & last.lt(end),
  }
  reason = np.select(list(faults.values()), list(faults), default="")
  left_out = {name: int((reason == name).sum()) for name in faults}
  labelled = book.assign(is_charged_off=default.le(end).astype("int8")).loc[reason == "", [*loans]]
  if labelled.empty:
    raise InputError(
      f"--params target={target}", f"no loan has it; {_word_counts(left_out)}", "Read loans with more months"
    )
  population = f"loans, resolved and running, at least {months} months old in {outcomes['last_month'].max():%Y-%m}"
  return labelled.reset_index(drop=True), _account_for(labelled, target, population, left_out)


def require_real_months(target: Target, reconciliation: pd.DataFrame) -> None:
  """Refuse a target made of months that were made of real outcomes (InputError)."""
  origins = portfolio_origin(reconciliation), events_origin(reconciliation)
  if target.window_months and origins == (REAL, SIMULATED):
    problem = "loan_months of this portfolio are simulated from its outcomes: the target would be made up"
    raise InputError(f"--params target={target}", problem, "Leave it out, or read real monthly events")


def _account_for(loans: pd.DataFrame, target: Target, population: str, left_out: dict[str, int]) -> dict[str, Any]:
  n, defaulted = len(loans), int(loans["is_charged_off"].sum())
  rates = {name: round_significant(rate) for name, rate in measure_default_rate(defaulted, n).columns.items()}
  low, high = rates["default_rate_low"], rates["default_rate_high"]
  words = f"{target} ({target.definition}): {defaulted:,} of n = {n:,} [{low:.1%}, {high:.1%}], {population}"
  others = _word_counts(left_out)
  return {
    "name": target.value,
    "obstacle": target.obstacle,
    "n": n,
    "defaulted": defaulted,
    **rates,
    "left_out": left_out,
    "words": f"{words}; {others}" if others else words,
  }


def _word_counts(left_out: dict[str, int]) -> str:
  others = ", ".join(f"{count:,} {reason}" for reason, count in left_out.items() if count)
  return f"left out: {others}" if others else ""


def _number(months: pd.Series) -> pd.Series:
  numbers: pd.Series = months.dt.year * 12 + months.dt.month
  return numbers
