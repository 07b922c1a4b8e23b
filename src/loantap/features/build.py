"""Features out of typed applications: one formula each, for arrays and for Python floats."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd

from loantap.features.definitions import FEATURES
from loantap.portfolio.amortisation import MONTHS_PER_YEAR
from loantap.portfolio.arrays import FloatArray
from loantap.portfolio.column_reading import Texts
from loantap.portfolio.dictionary import COLUMNS, SUB_GRADES, Kind

_TEXT = (Kind.CATEGORY, Kind.TEXT)


def build_features(applications: pd.DataFrame, names: Sequence[str] = ()) -> pd.DataFrame:
	"""Compute model features, one row per application; all where no names are given.

	Numbers are NaN where missing, texts `missing`: training and serving treat an absent value alike.
	"""
	names = names or tuple(FEATURES)
	columns = {name: to_values(applications[name], is_text=COLUMNS[name].kind in _TEXT) for name in columns_used(names)}
	return pd.DataFrame(
		{name: _to_series(compute_column(name, columns), applications.index) for name in names}, index=applications.index
	)


def columns_used(names: Sequence[str] = ()) -> tuple[str, ...]:
	"""Canonical columns that these features, or all, are computed from."""
	used = (column for name in names or FEATURES for column in FEATURES[name].uses)
	return tuple(dict.fromkeys(used))


def to_values(column: pd.Series, *, is_text: bool) -> FloatArray | Texts:
	"""A typed column without its index: numbers, months as days since 1970, or texts."""
	if is_text:
		codes, values = pd.factorize(column.astype("str"))
		return Texts(codes, tuple(values))
	if pd.api.types.is_datetime64_any_dtype(column):
		days = column.to_numpy("datetime64[D]")
		return np.where(np.isnat(days), np.nan, days.astype("int64"))
	return column.to_numpy("float64", na_value=np.nan)


def _to_series(values: FloatArray | Texts, index: pd.Index) -> pd.Series:
	if isinstance(values, Texts):
		texts = pd.array(list(values.values), dtype="str").take(values.codes)
		return pd.Series(texts, index=index)
	return pd.Series(values, index=index)


MISSING: Final = "missing"
_DAYS_PER_YEAR: Final = 365.25
# A lower income is an error or zero; ratios to it would swamp the scale.
_MIN_INCOME: Final = 1_000.0
# Beyond these are a handful of loans; a linear model must not extrapolate.
_CEILINGS: Final = MappingProxyType(
	{
		"dti_pct": 60.0,
		"revolving_utilisation_pct": 120.0,
		"mortgage_accounts": 6.0,
		"has_mortgage": 1.0,
		"public_records": 3.0,
		"bankruptcies": 2.0,
	}
)
_SUB_GRADE_RANK: Final = {grade: float(rank) for rank, grade in enumerate(SUB_GRADES)}

# A float or an array of them, NaN where missing; months are days since 1970.
Number = Any
Values = Mapping[str, FloatArray | Texts]


class Arithmetic(Protocol):
	"""What a formula may do beside + - * /."""

	def log(self, x: Number, /) -> Number:
		"""Natural logarithm."""

	def least(self, x: Number, y: Number, /) -> Number:
		"""The smaller; missing where `x` is."""

	def greatest(self, x: Number, y: Number, /) -> Number:
		"""The larger; missing where `x` is."""

	def ratio(self, part: Number, whole: Number, /) -> Number:
		"""Part by whole; missing where both are 0, infinite where the whole is."""


class _Arrays:
	log = staticmethod(np.log)
	least = staticmethod(np.minimum)
	greatest = staticmethod(np.maximum)

	@staticmethod
	def ratio(part: Number, whole: Number, /) -> Number:
		with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
			return part / whole


class _Floats:
	"""Python's min and max keep a NaN that comes first."""

	log = staticmethod(math.log)
	least = staticmethod(min)
	greatest = staticmethod(max)

	@staticmethod
	def ratio(part: Number, whole: Number, /) -> Number:
		if whole:
			return part / whole
		return math.inf if part > 0 else math.nan


def _rank(grade: str | None) -> float:
	"""Place in the list of products, from 0 for the best."""
	return _SUB_GRADE_RANK.get(grade or "", math.nan)


_ARRAYS: Final[Arithmetic] = _Arrays()
_FLOATS: Final[Arithmetic] = _Floats()

# Of the columns in `Feature.uses`. Others are their column, kept below its ceiling.
_OF_NUMBERS: Final[Mapping[str, Callable[..., Number]]] = MappingProxyType(
	{
		"log_loan_amount": lambda m, amount: m.log(amount),
		"log_annual_income": lambda m, income: m.log(m.greatest(income, _MIN_INCOME)),
		"loan_to_income": lambda m, amount, income: amount / m.greatest(income, _MIN_INCOME),
		"instalment_to_income": lambda m, instalment, income: (
			instalment * MONTHS_PER_YEAR / m.greatest(income, _MIN_INCOME)
		),
		"log_revolving_balance": lambda m, balance: m.log(balance + 1),
		"log_revolving_utilisation": lambda m, share: m.log(
			m.least(m.greatest(share, 1.0), _CEILINGS["revolving_utilisation_pct"])
		),
		"open_account_share": lambda m, held, ever: m.ratio(held, m.greatest(ever, held)),
		"credit_history_years": lambda _, issued, oldest: (issued - oldest) / _DAYS_PER_YEAR,
	}
)
# Ratios as a borrower is told them: not to an income of at least 1,000.
_TOLD: Final[Mapping[str, Callable[..., Number]]] = MappingProxyType(
	{
		"loan_to_income": lambda m, amount, income: m.ratio(amount, income),
		"instalment_to_income": lambda m, instalment, income: m.ratio(instalment * MONTHS_PER_YEAR, income),
		"open_account_share": lambda m, held, ever: m.ratio(held, ever),
	}
)
_OF_TEXT: Final[Mapping[str, Callable[[str | None], float]]] = MappingProxyType(
	{"sub_grade_rank": _rank, "log_sub_grade_rank": lambda grade: math.log(1 + _rank(grade))}
)


def compute_column(name: str, columns: Values) -> FloatArray | Texts:
	"""One feature of many applications, from their typed columns; missing values as in `build_features`."""
	feature = FEATURES[name]
	given = [columns[used] for used in feature.uses]
	if isinstance(given[0], Texts):
		return _compute_texts(name, given[0])
	values: FloatArray = _find_formula(name)(_ARRAYS, *given)
	return values


def make_formula(name: str) -> Callable[..., float | str]:
	"""The same for one application: takes the values of the columns in `Feature.uses`."""
	feature = FEATURES[name]
	if name in _OF_TEXT:
		return _OF_TEXT[name]
	if feature.categorical:
		return lambda text: text or MISSING
	formula = _find_formula(name)
	return partial(formula, _FLOATS)


def tell_column(name: str, columns: Sequence[FloatArray]) -> FloatArray:
	"""What many borrowers are told of a ratio, from the columns in `Feature.uses`."""
	values: FloatArray = _TOLD.get(name, _find_formula(name))(_ARRAYS, *columns)
	return values


def tell_one(name: str, values: Sequence[float]) -> float:
	"""The same for one borrower."""
	return float(_TOLD.get(name, _find_formula(name))(_FLOATS, *values))


def _find_formula(name: str) -> Callable[..., Number]:
	if name in _OF_NUMBERS:
		return _OF_NUMBERS[name]
	ceiling = _CEILINGS.get(name)
	return lambda m, number: number if ceiling is None else m.least(number, ceiling)


def _compute_texts(name: str, texts: Texts) -> FloatArray | Texts:
	if name in _OF_TEXT:
		# Missing rows have the code -1, the last entry.
		return np.array([_OF_TEXT[name](text) for text in (*texts.values, None)])[texts.codes]
	codes = np.where(texts.codes < 0, len(texts.values), texts.codes)
	return Texts(codes, (*texts.values, MISSING))
