"""The ledger: each month of each loan up to its end, with the state in which the month ended."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import duckdb
import pandas as pd
import pyarrow as pa

from loantap.portfolio.dictionary import CHARGED_OFF, FULLY_PAID
from loantap.portfolio.errors import InputError
from loantap.tables.database import connect
from loantap.tables.rows import LongTable

# By days past due at the month's end; the last two are ends.
OPEN_STATES: Final = ("current", "1-29", "30-59", "60-89", "90+")
LOST, PAID = "charged off", "paid"
STATES: Final = (*OPEN_STATES, LOST, PAID)
IN_ARREARS_30: Final = ("30-59", "60-89", "90+")
# As the Basel framework has it (CRE36.69).
DEFAULT_DAYS: Final = 90

_SQL: Final = files("loantap.surveillance.book").joinpath("ledger.sql").read_text("utf-8")
_OF_A_MONTH: Final = ("loan_id", "month", "outstanding_balance", "days_past_due")
_OF_A_LOAN: Final = ["loan_id", "loan_status", "issue_month", "term_months", "grade", "purpose", "state"]
_CONDITION: Final = """
SELECT count(*) AS loans_with_months,
       count(*) FILTER (until - first_month + 1 > months) AS gaps,
       count(*) FILTER (first_month > issued + 1) AS late_starts,
       count(*) FILTER (last_month > until) AS months_after_end,
       count(*) FILTER (is_paid AND paid_month IS NULL) AS paid_without_zero,
       count(*) FILTER (NOT is_paid AND NOT is_lost AND paid_month IS NOT NULL) AS running_at_zero,
       count(*) FILTER (NOT is_paid AND NOT is_lost AND end_month IS NULL
                        AND last_month < (SELECT max(month) FROM ledger)) AS behind
FROM course
"""


@dataclass(frozen=True, slots=True)
class Condition:
	"""What is wrong with the months of loans, counted in loans.

	Attributes:
		loans_without_months: in no figure but this.
		loans_with_months: in the figures.
		gaps: a month between first and last is missing: at risk through it, but no roll rate takes the step.
		late_starts: the first month is later than the one after issue: at risk from then on.
		months_after_end: after the charge-off or the payment in full: left out.
		paid_without_zero: paid by status, and the balance never comes to 0: censored.
		running_at_zero: running by status, and the balance comes to 0: paid.
		behind: running, and its last month is not the snapshot's: in no balance of the snapshot.
	"""

	loans_without_months: int
	loans_with_months: int
	gaps: int
	late_starts: int
	months_after_end: int
	paid_without_zero: int
	running_at_zero: int
	behind: int


@contextmanager
def open_ledger(
	loan_months: pd.DataFrame | LongTable, loans: pd.DataFrame, running_loans: pd.DataFrame
) -> Iterator[duckdb.DuckDBPyConnection]:
	"""A database with the tables `loan`, `course` and `ledger` of `ledger.sql`.

	`loan_months`: `loan_id`, `month`, `outstanding_balance`, `days_past_due`, any size and order, read once. Loans:
	status, month of issue, term, grade, purpose and state.

	Raises:
		InputError: no month, or a month of a loan twice.
	"""
	both = pd.concat([loans[_OF_A_LOAN], running_loans[_OF_A_LOAN]], ignore_index=True)
	with connect() as connection:
		connection.register("months", _scan(loan_months))
		connection.register("loans", pa.Table.from_pandas(both, preserve_index=False))
		given = {"charged_off": CHARGED_OFF, "paid": FULLY_PAID, "default_days": DEFAULT_DAYS}
		for statement in _SQL.split(";\n"):
			used = {name: value for name, value in given.items() if f"${name}" in statement}
			connection.execute(statement, used)
			if "CREATE TABLE seen" in statement:
				_require_single_months(connection)
		yield connection


def read_condition(connection: duckdb.DuckDBPyConnection) -> Condition:
	"""What is wrong with the months of a ledger's loans."""
	found = connection.execute(_CONDITION).df().iloc[0].to_dict()
	total = connection.execute("SELECT count(*) FROM loan").fetchall()[0][0]
	counted = {str(name): int(value) for name, value in found.items()}
	return Condition(loans_without_months=total - counted["loans_with_months"], **counted)


def month_of(number: int) -> str:
	"""A month of the ledger as YYYY-MM."""
	return f"{(number - 1) // 12:04d}-{(number - 1) % 12 + 1:02d}"


def _require_single_months(connection: duckdb.DuckDBPyConnection) -> None:
	if connection.execute("SELECT 1 FROM seen LIMIT 1").fetchone() is None:
		raise InputError(
			"table loan_months",
			"it has no month of any loan of the portfolio",
			"Run the ingestion pipeline on sources with events",
		)
	repeated = connection.execute(
		"SELECT loan_id, month FROM seen JOIN loan USING (number) GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 1"
	).fetchone()
	if repeated is not None:
		raise InputError(
			"table loan_months",
			f"loan {repeated[0]} has {month_of(repeated[1])} twice",
			"Build it with the ingestion pipeline, which keeps the row that was updated last",
		)


def _scan(loan_months: pd.DataFrame | LongTable) -> pa.Table | pa.RecordBatchReader:
	if isinstance(loan_months, pd.DataFrame):
		return pa.Table.from_pandas(loan_months[[*_OF_A_MONTH]], preserve_index=False)
	return loan_months.scan(_OF_A_MONTH)
