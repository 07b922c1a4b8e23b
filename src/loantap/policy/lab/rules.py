"""Rules of credit policy: which loans a rule declines, in a table and one at a time.

A rule reads what the lending model may read, the grade, and the amount as a share of income. A missing value breaks no
rule.
"""

import math
import operator
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import reduce
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field, ValidationInfo, field_validator

from loantap.features.build import Values, tell_column, tell_one, to_values
from loantap.features.definitions import FEATURE_SETS, FEATURES
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.portfolio.column_reading import Texts
from loantap.portfolio.dictionary import COLUMNS, Kind
from loantap.portfolio.errors import InputError
from loantap.portfolio.options import Options
from loantap.portfolio.values import Value, is_missing

LOAN_TO_INCOME = "loan_to_income"
# What a rule may read, and its name in a title.
READABLE: Mapping[str, str] = {
	name: name.removesuffix("_pct").replace("_", " ") for name in FEATURE_SETS["lending"].columns
} | {
	"dti_pct": "DTI",
	"interest_rate_pct": "interest rate",
	"term_months": "term in months",
	"grade": "grade",
	LOAN_TO_INCOME: "amount as a share of yearly income",
}
# Those that all of these are made of.
READABLE_COLUMNS = tuple(name for name in READABLE if name != LOAN_TO_INCOME)


class Operator(StrEnum):
	"""How a value is compared."""

	ABOVE = ">"
	AT_LEAST = ">="
	BELOW = "<"
	AT_MOST = "<="
	ONE_OF = "in"


# Of arrays and of single values; none holds of a missing number (NaN).
_COMPARISONS: Mapping[Operator, Callable[[Any, Any], Any]] = {
	Operator.ABOVE: operator.gt,
	Operator.AT_LEAST: operator.ge,
	Operator.BELOW: operator.lt,
	Operator.AT_MOST: operator.le,
	Operator.ONE_OF: lambda given, values: reduce(operator.or_, (given == v for v in values)),
}
_WORDS: Mapping[Operator, str] = {
	Operator.ABOVE: "above",
	Operator.AT_LEAST: "of at least",
	Operator.BELOW: "below",
	Operator.AT_MOST: "of at most",
	Operator.ONE_OF: "of",
}


class Condition(Options):
	"""A comparison of one value of an application.

	`loan_to_income` is a fraction of yearly income, infinite where there is none; `in` has a list of numbers or of
	categories.
	"""

	column: str
	operator: Operator
	value: float | tuple[float, ...] | tuple[str, ...]

	@field_validator("column")
	@classmethod
	def _is_readable(cls, column: str) -> str:
		if column not in READABLE:
			raise ValueError(f"no rule may read {column!r}; give one of {', '.join(READABLE)}")
		return column

	@field_validator("value")
	@classmethod
	def _fits(cls, value: Any, info: ValidationInfo) -> Any:
		if not {"column", "operator"} <= set(info.data):  # refused already
			return value
		column, is_list = info.data["column"], info.data["operator"] is Operator.ONE_OF
		if is_list != isinstance(value, tuple) or value == ():
			raise ValueError("'in' takes a list that is not empty, every other operator one number")
		values = value if isinstance(value, tuple) else (value,)
		_require_values(column, values)
		return value

	@property
	def columns(self) -> tuple[str, ...]:
		"""Canonical columns that it reads."""
		is_ratio = self.column == LOAN_TO_INCOME
		return FEATURES[LOAN_TO_INCOME].uses if is_ratio else (self.column,)

	def holds(self, columns: Values) -> BoolArray:
		"""Whether it holds of each of many applications; never of a missing value."""
		given = [columns[name] for name in self.columns]
		if isinstance(given[0], Texts):
			# Missing rows have the code -1, the last entry.
			listed = [text in self.listed for text in given[0].values]
			return np.array([*listed, False])[given[0].codes]
		numbers = tell_column(self.column, given) if len(given) > 1 else given[0]  # type: ignore[arg-type]
		found: BoolArray = _COMPARISONS[self.operator](numbers, self.value)
		return found

	def holds_of_one(self, application: Mapping[str, Value]) -> bool:
		"""The same of one application."""
		given = [application[name] for name in self.columns]
		if any(is_missing(value) for value in given):
			return False
		found = tell_one(self.column, given) if len(given) > 1 else given[0]  # type: ignore[arg-type]
		return bool(_COMPARISONS[self.operator](found, self.value))

	@property
	def listed(self) -> tuple[Any, ...]:
		"""The values that it compares with, one or more."""
		return self.value if isinstance(self.value, tuple) else (self.value,)

	def __str__(self) -> str:
		texts = [_spell(value).replace("_", " ") for value in self.listed]
		listed = " or ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)
		sign = "%" if self.column.endswith("_pct") else ""
		return f"{READABLE[self.column]} {_WORDS[self.operator]} {listed}{sign}"


def _spell(value: float | str) -> str:
	"""1,230,000 and 0.00001: no exponent."""
	return value if isinstance(value, str) else f"{Decimal(f'{value:g}'):,f}"


def _require_values(column: str, values: tuple[Any, ...]) -> None:
	known = COLUMNS.get(column)
	if known is not None and known.kind is Kind.CATEGORY:
		allowed = (*known.categories, *known.listed)
		unknown = [value for value in values if value not in allowed]
		if unknown:
			listed = ", ".join(allowed)
			raise ValueError(f"{column} takes 'in' and a list out of {listed}, not {unknown[0]!r}")
		return
	low = 0.0 if known is None or known.minimum is None else known.minimum
	high = math.inf if known is None or known.maximum is None else known.maximum
	for value in values:
		if isinstance(value, str) or not math.isfinite(value):
			raise ValueError(f"{column} is compared with a number, not with {value!r}")
		if not low <= value <= high or (known and known.values and value not in known.values):
			raise ValueError(f"{value:g} is no value that {column} can have")


class Rule(Options):
	"""A rule, with a title in words, that declines applications of which all conditions hold."""

	id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
	title: Annotated[str, Field(min_length=1)]
	conditions: tuple[Condition, ...] = Field(min_length=1)

	@property
	def columns(self) -> tuple[str, ...]:
		"""Canonical columns that it reads, each once."""
		names = (name for condition in self.conditions for name in condition.columns)
		return tuple(dict.fromkeys(names))

	def declines(self, columns: Values) -> BoolArray:
		"""Whether it declines each of many applications."""
		found: BoolArray = np.logical_and.reduce([part.holds(columns) for part in self.conditions])
		return found

	def declines_one(self, application: Mapping[str, Value]) -> bool:
		"""The same of one application."""
		return all(condition.holds_of_one(application) for condition in self.conditions)


def name_rule(conditions: Sequence[Condition]) -> Rule:
	"""A rule with an id and a title made of its conditions."""
	title = f"No loan with {' and '.join(map(str, conditions))}"
	return Rule(id="_".join(["found", *map(_name_condition, conditions)]), title=title, conditions=tuple(conditions))


def _name_condition(condition: Condition) -> str:
	sign = {">": "gt", ">=": "ge", "<": "lt", "<=": "le", "in": "in"}[condition.operator]
	shown = "_".join(map(_spell, condition.listed)).replace(",", "").replace(".", "p")
	return f"{condition.column}_{sign}_{shown}".lower()


def columns_of_rules(rules: Sequence[Rule]) -> tuple[str, ...]:
	"""Canonical columns that these rules read, each once."""
	return tuple(dict.fromkeys(name for rule in rules for name in rule.columns))


def source_columns(rules: Sequence[Rule]) -> tuple[str, ...]:
	"""The same by their names in the files of applications."""
	return tuple(str(COLUMNS[name].source_name) for name in columns_of_rules(rules))


def keep_readable(rules: Sequence[Rule], found: Container[str]) -> tuple[Rule, ...]:
	"""The rules for which a file of applications has the columns."""
	return tuple(rule for rule in rules if all(name in found for name in source_columns([rule])))


def read_columns(frame: pd.DataFrame, names: Sequence[str]) -> Values:
	"""Columns of a frame of typed applications as rules read them."""
	_require_columns(frame.columns, names)
	return {name: to_values(frame[name], is_text=COLUMNS[name].kind is Kind.CATEGORY) for name in names}


def apply_rules(rules: Sequence[Rule], columns: Values) -> BoolArray:
	"""Which rule declines which application: a row per application, a column per rule.

	`columns` are typed, NaN where missing.
	"""
	_require_columns(columns, columns_of_rules(rules))
	rows = len(next(map(_length, columns.values()))) if columns else 0
	found = np.empty((rows, len(rules)), dtype=bool)
	for place, rule in enumerate(rules):
		found[:, place] = rule.declines(columns)
	return found


def apply_rules_to_one(rules: Sequence[Rule], application: Mapping[str, Value]) -> tuple[bool, ...]:
	"""Which of these rules decline one application, typed, None or NaN where missing."""
	_require_columns(application, columns_of_rules(rules))
	return tuple(rule.declines_one(application) for rule in rules)


def _require_columns(given: Container[str], names: Sequence[str]) -> None:
	missing = [name for name in names if name not in given]
	if missing:
		raise InputError(
			"applications",
			f"column {missing[0]} is missing, which a rule reads",
			"Add the column, or leave the rules out that read it",
		)


def _length(values: FloatArray | Texts) -> Any:
	return values.codes if isinstance(values, Texts) else values


@dataclass(slots=True)
class RuleTally:
	"""Counts, over a file's batches, what rules would decline that are recommended and not switched on."""

	rules: Sequence[Rule]
	applications: int = 0
	declined: IntArray | int = field(default=0)

	def add(self, columns: Values, is_open: BoolArray, is_valid: BoolArray) -> None:
		"""Count a batch of typed canonical columns; `is_open`: whether a rule may still decline an application."""
		self.applications += int(is_valid.sum())
		self.declined = self.declined + apply_rules(self.rules, columns)[is_open].sum(axis=0)

	def describe(self) -> list[str]:
		"""What each rule would have done, in a sentence; nothing of no applications."""
		if not self.applications:
			return []
		counts = [int(count) for count in self.declined]  # type: ignore[union-attr]
		return [
			f"Recommended and not switched on: {rule.title} would have declined {count:,} of {self.applications:,} "
			f"applications, besides those that are declined (scoring.recommendations=[{rule.id}])"
			for rule, count in zip(self.rules, counts, strict=True)
		]
