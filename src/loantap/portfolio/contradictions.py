"""Numbers of a loan held against each other: the terms of a loan tie them together.

A rate of 0.1065 taken for percent makes a risky loan look safe, so a row whose instalment says
plainly that a number is in another unit cannot be used. A part-funded loan is no contradiction: its
instalment is lower, by up to nine tenths in the published data.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from loantap.portfolio.amortisation import MONTHS_PER_YEAR, emi, emi_of_one
from loantap.portfolio.arrays import FloatArray
from loantap.portfolio.errors import InputError
from loantap.portfolio.products import PRODUCTS
from loantap.portfolio.values import MONTH_FORMAT

# What ties a loan together, in the order that the functions below take them.
TERMS = ("loan_amount", "interest_rate_pct", "term_months", "instalment")
# How every reason begins that `contradict` gives.
CONTRADICTED = "contradicted by"
_REMEDIES = {
	"instalment": "Give that instalment, or correct amount, rate or term",
	"interest_rate_pct": "Give the rate in percent per year, 12 for 12%; if it is right, correct the instalment",
}
# Rounding of rates and instalments moves an instalment by less than this share.
CLOSE = 0.01
# An instalment this many times the right one belongs to another loan, or to another currency.
_MAX_TIMES, _MIN_TIMES = 2.0, 0.05
# No loan of the published data, 5.32 to 30.99 percent, is as cheap: below, an instalment must bear
# the rate out.
_MIN_RATE = 1.0
# The highest monthly rate that is tried as such; as a yearly one it is among the lowest.
_MAX_MONTHLY = 3.0


@dataclass(frozen=True, slots=True)
class Contradiction:
	"""One value that the others of its row contradict; rows are counted from 0."""

	row: int
	column: str
	reason: str


def find_contradictions(columns: Mapping[str, FloatArray]) -> Iterator[Contradiction]:
	"""The rows whose instalment shows that a number is in another unit.

	Takes `TERMS`, with NaN where missing; gives nothing where a column is not there.
	"""
	if not columns.keys() >= set(TERMS):
		return
	given = [columns[name] for name in TERMS]
	# A little more than is looked at by `contradict`, whose last digits may be others.
	for row in np.flatnonzero(is_off(columns, CLOSE / 2)).tolist():
		column, reason = contradict(*(float(values[row]) for values in given))
		if column:
			yield Contradiction(row, column, reason)


def find_conflicts(rows: pd.DataFrame) -> Iterator[Contradiction]:
	"""The rows whose sub-grade is of another grade, or whose oldest credit line is not old enough."""
	if {"grade", "sub_grade"} <= set(rows.columns):
		grade, sub_grade = rows["grade"], rows["sub_grade"]
		is_other = grade.notna() & sub_grade.notna() & grade.ne(sub_grade.map(PRODUCTS.grade_of))
		for row in np.flatnonzero(is_other).tolist():
			yield Contradiction(row, "sub_grade", f"not one of grade {grade.iloc[row]}")
	if {"issue_month", "earliest_credit_line"} <= set(rows.columns):
		issued, oldest = rows["issue_month"], rows["earliest_credit_line"]
		for row in np.flatnonzero(oldest > issued).tolist():
			month = f"{issued.iloc[row]:{MONTH_FORMAT}}"
			yield Contradiction(row, "earliest_credit_line", f"after issue_d, {month}")


def is_off(columns: Mapping[str, FloatArray], close: float = CLOSE) -> npt.NDArray[np.bool_]:
	"""Whether each instalment is not that of amount, rate and term; not where one is missing."""
	amount, rate, months, instalment = (columns[name] for name in TERMS)
	off: npt.NDArray[np.bool_] = np.abs(instalment / emi(amount, rate, months) - 1) > close
	return off


def count_exceptions(rows: pd.DataFrame) -> int:
	"""Loans whose instalment is not that of amount, rate and term; typed canonical columns."""
	return int(is_off({name: rows[name].to_numpy() for name in TERMS}).sum())


def contradict(amount: float, rate_pct: float, months: float, instalment: float) -> tuple[str, str]:
	"""The column that the others contradict, and how; "" twice where none is, or one is missing."""
	expected = emi_of_one(amount, rate_pct, months)
	times = instalment / expected
	# Comparisons with NaN, where a number is missing, are false.
	if not abs(times - 1) > CLOSE:
		return "", ""

	def say(other_rate: float) -> tuple[str, str]:
		reason = f"{CONTRADICTED} the instalment of {instalment:,.2f}: at {rate_pct:g}% it would be {expected:,.2f}"
		if other_rate > 0:
			other = emi_of_one(amount, other_rate, months)
			reason += f", at {other_rate:g}% {other:,.2f}"
		return "interest_rate_pct", reason

	monthly = rate_pct * MONTHS_PER_YEAR
	if rate_pct < _MAX_MONTHLY and _is_close(instalment, amount, monthly, months):
		return say(monthly)
	if rate_pct < _MIN_RATE:
		return say(rate_pct * 100)
	if times > _MAX_TIMES or times < _MIN_TIMES:
		return "instalment", (
			f"{CONTRADICTED} amount, rate and term: {amount:,.10g} at {rate_pct:g}% over "
			f"{months:g} months make {expected:,.2f} a month, not {instalment:,.2f}"
		)
	return "", ""


def tell_remedy(column: str, reason: str) -> str:
	"""What to do about a value that the others contradict; "" where the reason is another one."""
	return _REMEDIES[column] if reason.startswith(CONTRADICTED) else ""


def require_few_exceptions(where: str, exceptions: int, rows: int, most: float, name: str) -> None:
	"""Stop with InputError where more than `most` instalments are not of their terms.

	`name` is the parameter for `most`.
	"""
	if exceptions <= most * rows:
		return
	raise InputError(
		where,
		f"the instalments of {exceptions:,} of {rows:,} loans do not follow from their amounts, "
		f"rates and terms; at most {most:.0%} may be such exceptions",
		f"Check that int_rate is in percent per year, and loan_amnt and installment in one "
		f"currency; where the loans are part-funded, allow it with --params "
		f"{name}={min(np.ceil(exceptions / rows * 100) / 100, 1):g}",
	)


def _is_close(instalment: float, amount: float, rate_pct: float, months: float) -> bool:
	return abs(instalment / emi_of_one(amount, rate_pct, months) - 1) <= CLOSE
