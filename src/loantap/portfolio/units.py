"""Whole tables in another unit than the dictionary's, told by where their numbers lie.

Only what is certain is told: one borrower may owe one percent of their income, but of twenty
borrowers nineteen never do.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from loantap.portfolio.amortisation import MONTHS_PER_YEAR
from loantap.portfolio.arrays import FloatArray
from loantap.portfolio.dictionary import COLUMNS
from loantap.portfolio.errors import InputError

# With fewer numbers nothing is certain.
MIN_NUMBERS = 20
# An honest column has at least this share of its numbers beyond the limit of its rule.
_MIN_BEYOND = 0.05
# Of the published loans one in 5,000 takes half of its borrower's income, in whatever unit the
# instalment is; of incomes by the month two in three do.
_MAX_OF_INCOME = 0.5
_MAX_BURDENED = 0.5


@dataclass(frozen=True, slots=True)
class _Rule:
	column: str
	limit: float
	reading: str
	remedy: str


_SHARE = ("a share, and percent is expected", "Multiply the column by 100")
_THOUSANDS = ("in thousands, and single units are expected", "Multiply the column by 1,000")
_RULES = (
	_Rule("dti_pct", 1, *_SHARE),
	_Rule("revolving_utilisation_pct", 1, *_SHARE),
	_Rule("current_dti_pct", 1, *_SHARE),
	_Rule("current_utilisation_pct", 1, *_SHARE),
	# The least income of the published loans is 2,500, the least amount 500.
	_Rule("annual_income", 1_000, *_THOUSANDS),
	_Rule("loan_amount", 100, *_THOUSANDS),
)


@dataclass(slots=True)
class UnitCounts:
	"""How many numbers of a table lie where; added up over its batches."""

	_numbers: Counter[str] = field(default_factory=Counter)
	_beyond: Counter[str] = field(default_factory=Counter)
	_incomes: int = 0
	_burdened: int = 0

	def add(self, columns: Mapping[str, FloatArray]) -> None:
		"""Count the numbers of a batch, by canonical name of their column; others are ignored."""
		for rule in _RULES:
			if rule.column in columns:
				numbers = columns[rule.column]
				self._numbers[rule.column] += int(np.count_nonzero(numbers > 0))
				self._beyond[rule.column] += int(np.count_nonzero(numbers > rule.limit))
		if columns.keys() >= {"instalment", "annual_income"}:
			income, instalment = columns["annual_income"], columns["instalment"]
			is_known = (income > 0) & (instalment > 0)
			self._incomes += int(np.count_nonzero(is_known))
			is_burdened = instalment * MONTHS_PER_YEAR > income * _MAX_OF_INCOME
			self._burdened += int(np.count_nonzero(is_known & is_burdened))

	def add_frame(self, rows: pd.DataFrame) -> None:
		"""Count the numbers of typed rows."""
		self.add({n: rows[n].to_numpy() for n in rows.columns[rows.dtypes == "float64"]})

	def require_known_units(self, where: str) -> None:
		"""Raise InputError where a column is certainly in another unit."""
		for rule in _RULES:
			numbers, beyond = self._numbers[rule.column], self._beyond[rule.column]
			if numbers >= MIN_NUMBERS and beyond < _MIN_BEYOND * numbers:
				raise InputError(
					where,
					f"column {COLUMNS[rule.column].source_name} is at most {rule.limit:,g} in "
					f"{numbers - beyond:,} of the {numbers:,} rows where it is not zero: it is {rule.reading}",
					rule.remedy,
				)
		if self._incomes >= MIN_NUMBERS and self._burdened > _MAX_BURDENED * self._incomes:
			raise InputError(
				where,
				f"in {self._burdened:,} of {self._incomes:,} rows the instalments of a year are "
				f"more than half of annual_inc, so it is not a yearly income",
				"Multiply a monthly income by 12; check that installment is in the same currency",
			)


def require_known_units(rows: pd.DataFrame, where: str) -> None:
	"""Raise InputError where a column of a whole table is certainly in another unit."""
	counts = UnitCounts()
	counts.add_frame(rows)
	counts.require_known_units(where)
