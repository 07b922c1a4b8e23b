"""What became of each loan, and when, read from its months; and the target made of it.

Default is the first month 90 days past due, whatever became of the loan since.
"""

import logging
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from loantap.measures.intervals import measure_default_rate
from loantap.measures.metrics import round_significant
from loantap.portfolio.assembly import events_origin, portfolio_origin
from loantap.portfolio.dictionary import CHARGED_OFF, FULLY_PAID, REAL, SIMULATED
from loantap.portfolio.errors import InputError
from loantap.portfolio.target import Target
from loantap.tables.database import connect
from loantap.tables.rows import LongTable, frame_of

logger = logging.getLogger(__name__)

DEFAULT_DAYS: Final = 90
NOT_PAID: Final = "its status is paid, and its balance never comes to 0"
NOT_LATE: Final = "its status is charged off, and its months end with nothing overdue"
NOT_RUNNING: Final = "its status is running, and its balance comes to 0"
_OF_MONTHS: Final = ("loan_id", "month", "outstanding_balance", "days_past_due")
_OF_LOANS: Final = ["loan_id", "loan_status", "issue_month", "term_months"]

# A balance of 0 that rises again ended nothing; one of a charged-off loan was written off.
_FIND: Final = """
WITH of_loan AS (
    SELECT loan_id, min(month) AS first_month, max(month) AS last_month,
           max(month) FILTER (outstanding_balance > 0) AS last_owed,
           arg_max(days_past_due, month) FILTER (outstanding_balance > 0) AS last_days,
           min(month) FILTER (days_past_due >= $days) AS late_month,
           list(month ORDER BY month) FILTER (outstanding_balance = 0) AS zero_months
    FROM months GROUP BY loan_id
), ended AS (
    SELECT *, loan_status = $charged_off AS is_lost, loan_status = $paid AS is_paid,
           list_filter(zero_months, lambda m: last_owed IS NULL OR m > last_owed)[1] AS zero_month
    FROM of_loan JOIN loans USING (loan_id)
), dated AS (
    SELECT *, CASE WHEN is_lost THEN coalesce(late_month, last_owed, last_month)
                   ELSE late_month END AS default_month
    FROM ended
), resolved AS (
    SELECT *, CASE WHEN NOT is_lost AND (default_month IS NULL OR zero_month < default_month)
                   THEN zero_month END AS paid_month
    FROM dated
)
SELECT loan_id,
       CASE WHEN paid_month IS NULL THEN default_month END AS default_month,
       CASE WHEN date_diff('month', issue_month, paid_month) < term_months
            THEN paid_month END AS prepaid_month,
       paid_month, first_month, last_month,
       CASE WHEN is_paid AND zero_month IS NULL THEN $not_paid
            WHEN is_lost AND late_month IS NULL AND coalesce(last_days, 0) = 0 THEN $not_late
            WHEN NOT is_paid AND NOT is_lost AND zero_month IS NOT NULL THEN $not_running
       END AS contradiction
FROM resolved ORDER BY loan_id
"""


def find_outcomes(
	loan_months: pd.DataFrame | LongTable, loans: pd.DataFrame, running_loans: pd.DataFrame
) -> pd.DataFrame:
	"""When each loan defaulted, was paid in full and was last seen; months of any size.

	Returns one row per loan that has months, by `loan_id`: `default_month` (first month 90 days past
	due; of a charged-off loan without one, its last with a balance), `paid_month` (first at balance 0
	for good, before any default), `prepaid_month` (the same, where the last instalment was not due
	yet), `first_month`, `last_month` (without an event the loan is censored there), `contradiction`.
	What counts where months are wrong: docs/surveillance.md.
	"""
	both = pd.concat([loans[_OF_LOANS], running_loans[_OF_LOANS]], ignore_index=True)
	with connect() as connection:
		connection.register("months", _scan(loan_months))
		connection.register("loans", pa.Table.from_pandas(both, preserve_index=False))
		found = connection.sql(
			_FIND,
			params={
				"days": DEFAULT_DAYS,
				"charged_off": CHARGED_OFF,
				"paid": FULLY_PAID,
				"not_paid": NOT_PAID,
				"not_late": NOT_LATE,
				"not_running": NOT_RUNNING,
			},
		)
		outcomes = frame_of(found.to_arrow_table())
	for reason, rows in outcomes["contradiction"].value_counts().items():
		logger.warning("%s loans of which %s: see find_outcomes for what counts", rows, reason)
	return outcomes


def _scan(loan_months: pd.DataFrame | LongTable) -> pa.Table | pa.RecordBatchReader:
	if isinstance(loan_months, pd.DataFrame):
		return pa.Table.from_pandas(loan_months[[*_OF_MONTHS]], preserve_index=False)
	return loan_months.scan(_OF_MONTHS)


OPEN: Final = "whose window was still open"
NO_MONTHS: Final = "without a month"
LATE_START: Final = "whose first month is missing"
UNSEEN: Final = "whose months end before the window does, without default or payment"


def label_loans(
	loans: pd.DataFrame, running_loans: pd.DataFrame, loan_months: pd.DataFrame | LongTable, target: Target
) -> tuple[pd.DataFrame, dict[str, Any]]:
	"""The loans that have the target, with it in `is_charged_off`, and their account, `target.json`.

	Over the life: resolved loans. Within a window: all whose window, last month included, ended within `loan_months`.
	Raises InputError where there is none.
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
