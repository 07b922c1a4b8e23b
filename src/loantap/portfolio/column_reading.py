"""One column of the LoanTap format, typed and checked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.portfolio.dictionary import Column, Kind
from loantap.portfolio.values import (
	BETWEEN_MONTHS,
	Value,
	absence,
	earliest_days,
	find_months,
	list_rules,
	make_reader,
	say_future,
	say_implausible,
	show_value,
	to_days,
)

_DATED = (Kind.MONTH, Kind.DATE)
_NUMERIC = (Kind.NUMBER, Kind.COUNT)
# Zones that a database gives in the place of the one a time was written in.
_NO_ZONE = frozenset({"UTC", "Etc/UTC", "GMT", "Etc/GMT", "UTC+00:00", "+00:00"})
_NO_FAULTS = np.zeros(0, dtype="int64")


@dataclass(frozen=True, slots=True)
class Texts:
	"""Texts, each distinct one held once in `values`; `codes` is each row's place there, -1 where missing."""

	codes: IntArray
	values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadColumn:
	"""A typed column and what was wrong with it.

	Attributes:
		values: numbers, months as days since 1970 (both NaN where missing), or texts.
		faults: place of each row's fault in `reasons`, 0 for none; empty where no row has one.
		reasons: what was wrong; the first is "".
	"""

	values: FloatArray | Texts
	faults: IntArray = field(default_factory=lambda: _NO_FAULTS)
	reasons: tuple[str, ...] = ("",)

	@property
	def is_good(self) -> bool:
		"""Whether nothing is wrong with any row."""
		return len(self.reasons) == 1


def read_column(raw: pd.Series, column: Column, as_of: pd.Timestamp) -> ReadColumn:
	"""Type and check one column, texts once per distinct text; `as_of` is the day of the run."""
	if column.kind in _DATED and pd.api.types.is_datetime64_any_dtype(raw):
		return _read_dates(raw, column, as_of)
	if column.kind in _NUMERIC and _is_number(raw):
		return _read_numbers(raw.to_numpy("float64", na_value=np.nan), column)
	if column.kind is Kind.TEXT and raw.dtype == "str":
		return _read_texts(raw, absence(column))
	reader, today = make_reader(column), to_days(as_of)
	codes, distinct = _distinguish(raw)
	# Missing rows have the code -1, which takes the last entry of a table.
	read = [reader(value, today) for value in distinct]
	read.append(reader(None, today))
	reasons = tuple(dict.fromkeys(["", *(reason for _, reason in read)]))
	places = np.array([reasons.index(reason) for _, reason in read])
	values = _take([value for value, _ in read], codes, column)
	return _report(values, places[codes] if len(reasons) > 1 else _NO_FAULTS, reasons)


def list_problems(raw: pd.Series, column: Column, read: ReadColumn) -> pd.DataFrame:
	"""One row per bad value, indexed like `raw`: see `Parsed.problems`."""
	rows = np.flatnonzero(read.faults)
	return pd.DataFrame(
		{
			"column": column.source_name,
			"value": [show_value(value) for value in raw.iloc[rows]],
			"reason": [read.reasons[fault] for fault in read.faults[rows]],
		},
		index=raw.index[rows],
		dtype="str",
	)


def _is_number(raw: pd.Series) -> bool:
	return pd.api.types.is_numeric_dtype(raw) and not pd.api.types.is_bool_dtype(raw)


def _distinguish(raw: pd.Series) -> tuple[npt.NDArray[Any], Iterable[Any]]:
	"""Place of each value among the distinct ones (-1: missing), and those."""
	if isinstance(raw.dtype, pd.CategoricalDtype):
		return raw.cat.codes.to_numpy("int64"), raw.cat.categories
	# Python holds 1, 1.0 and True for equal, so values of any type are read one by one.
	if raw.dtype == object:
		return np.arange(len(raw)), raw
	codes, distinct = pd.factorize(raw)
	return codes, distinct


def _take(values: Sequence[Value], codes: IntArray, column: Column) -> FloatArray | Texts:
	if column.kind in _NUMERIC or column.kind in _DATED:
		return np.array(values, dtype="float64")[codes]
	texts = tuple(dict.fromkeys(value for value in values if isinstance(value, str)))
	places = {text: place for place, text in enumerate(texts)} | {None: -1}
	return Texts(np.array([places[value] for value in values])[codes], texts)  # type: ignore[index]


def _report(values: FloatArray | Texts, faults: IntArray, reasons: tuple[str, ...]) -> ReadColumn:
	return ReadColumn(values, faults, reasons) if faults.any() else ReadColumn(values)


def _read_numbers(numbers: FloatArray, column: Column) -> ReadColumn:
	rules, absent = list_rules(column), absence(column)
	with np.errstate(invalid="ignore"):  # the rest of an infinite number
		broken = [breaks(numbers) for breaks, _ in rules]
	broken.append(np.isnan(numbers) & bool(absent))
	if not any(rows.any() for rows in broken):
		return ReadColumn(numbers)
	# A number may break several rules; the first, the gravest, is told.
	faults = np.select(broken, range(1, len(broken) + 1), 0)
	reasons = ("", *(reason for _, reason in rules), absent)
	return ReadColumn(np.where(faults > 0, np.nan, numbers), faults, reasons)


def _read_texts(raw: pd.Series, absent: str) -> ReadColumn:
	"""What the reader of one text gives, of all at once: hardly any is there twice."""
	is_blank = raw.str.strip().eq("") | raw.isna()
	codes, distinct = pd.factorize(raw.mask(is_blank))
	faults = np.where(is_blank & bool(absent), 1, 0)
	return _report(Texts(codes, tuple(distinct.tolist())), faults, ("", absent))


def _read_dates(raw: pd.Series, column: Column, as_of: pd.Timestamp) -> ReadColumn:
	moments = raw.dt.tz_localize(None).to_numpy("datetime64[us]")
	if raw.dt.tz is None or str(raw.dt.tz) in _NO_ZONE:
		months, unclear = find_months(moments)
	else:  # where the zone is given, the month is what it says
		months, unclear = moments.astype("datetime64[M]"), np.zeros(len(raw), dtype="bool")
	days = np.where(np.isnat(months), np.nan, months.astype("datetime64[D]").astype("int64"))
	today, absent = to_days(as_of), absence(column)
	wrong = {
		BETWEEN_MONTHS: unclear,
		say_future(today): days > today,
		say_implausible(column): days < earliest_days(column),
		absent: np.isnan(days) & bool(absent),
	}
	faults = np.select(list(wrong.values()), range(1, len(wrong) + 1), 0)
	return _report(np.where(faults > 0, np.nan, days), faults, ("", *wrong))


def to_series(values: FloatArray | Texts, column: Column, index: pd.Index) -> pd.Series:
	"""The values of a column as a frame has them: texts, months as times, or numbers."""
	if isinstance(values, Texts):
		texts = pd.array(list(values.values), dtype="str").take(values.codes, allow_fill=True)
		return pd.Series(texts, index=index)
	if column.kind in _DATED:
		days = np.where(np.isnan(values), np.datetime64("NaT"), values.astype("datetime64[D]"))
		return pd.Series(days.astype("datetime64[s]"), index=index)
	return pd.Series(values, index=index)
