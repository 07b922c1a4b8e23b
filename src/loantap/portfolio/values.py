"""One value in LoanTap format, read by the rules of the data dictionary.

Only this module knows how a text becomes a number or a month and what is wrong with it;
`loantap_format` and the scorer both read with it.
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache, reduce
from operator import and_
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from loantap.portfolio.arrays import MonthArray
from loantap.portfolio.dictionary import Column, Kind

MONTH_FORMAT = "%b-%Y"
_LONGEST_SHOWN = 20
# A month is that of the place where it was written down, whatever its offset from UTC.
_UTC_OFFSET = re.compile(r"(:\d{2}(?:\.\d+)?)\s*(Z|[+-]\d{2}(?::?\d{2})?)$")
# What float() takes, less underscores, digits of other scripts and "nan".
_NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?)", re.ASCII | re.IGNORECASE)
_YEAR = re.compile(r"\d{4}", re.ASCII)
_MONTHS_WRITTEN = re.compile(r"\s*months?$", re.IGNORECASE)
_YEARS_WRITTEN = re.compile(r"\+?\s*years?$", re.IGNORECASE)
_UNDER_ONE_YEAR = re.compile(r"^<\s*1 years?$", re.IGNORECASE)
# What stands between the words of a category, and says nothing.
_BETWEEN_WORDS = re.compile(r"[\s_-]+")
# Hours by which clocks of the world differ from UTC, besides whole ones.
_FRACTIONS = (-9.5, -3.5, -2.5, 3.5, 4.5, 5.5, 5.75, 6.5, 8.75, 9.5, 10.5, 12.75, 13.75)
_OFFSETS = np.array([*range(24), *_FRACTIONS])
_EASTERNMOST, _WESTERNMOST = np.timedelta64(14, "h"), np.timedelta64(12, "h")
# When midnight is anywhere on earth, on the clock of UTC.
_MIDNIGHTS = ((-_OFFSETS % 24) * 3_600_000_000).astype("int64")
BETWEEN_MONTHS = "between two months: its time zone decides in which"

# A number (missing: NaN), a month as days since 1970 (missing: NaN), or a text (missing: None).
Value = float | str | None
# Takes a raw value and the day of the run as days since 1970; gives the value, missing where
# unusable, and what is wrong with it ("" when nothing is).
Reader = Callable[[object, float], tuple[Value, str]]
# Whether a number breaks a rule, and how that is said. Takes a float or an array alike.
Rule = tuple[Callable[[Any], Any], str]


@lru_cache(maxsize=256)
def make_reader(column: Column) -> Reader:
	"""The reader of one value of a column."""
	match column.kind:
		case Kind.NUMBER | Kind.COUNT:
			return _number_reader(column)
		case Kind.MONTH | Kind.DATE:
			return _month_reader(column)
	return _text_reader(column)


def list_rules(column: Column) -> tuple[Rule, ...]:
	"""What a number of the column must not be, gravest first: that is told. NaN breaks none."""
	rules: list[Rule] = [(lambda number: abs(number) == np.inf, "not a finite number")]
	if column.kind is Kind.COUNT:
		rules.append((lambda number: number % 1 > 0, "not a whole number"))
	if column.values:
		allowed = column.values
		named = " or ".join(f"{one:g}" for one in allowed)
		if len(allowed) - 1 == allowed[-1] - allowed[0] > 1:
			named = f"a whole number from {allowed[0]:g} to {allowed[-1]:g}"
		rules.append((lambda number: reduce(and_, [abs(number - one) > 0 for one in allowed]), f"not {named}"))
	maximum, minimum = column.maximum, column.minimum
	if maximum is not None:
		rules.append((lambda number: number > maximum, f"above {maximum:g}"))
	if minimum is not None:
		rules.append((lambda number: number < minimum, f"below {minimum:g}"))
	return tuple(rules)


def say_future(as_of_days: float) -> str:
	"""What is wrong with a month after the day of the run."""
	return f"after the day of the run, {np.datetime64(int(as_of_days), 'D')}"


def say_implausible(column: Column) -> str:
	"""What is wrong with a month before the first plausible one."""
	return f"before {pd.Timestamp(column.earliest):{MONTH_FORMAT}}" if column.earliest else ""


def earliest_days(column: Column) -> float:
	"""The first plausible month as days since 1970."""
	return to_days(pd.Timestamp(column.earliest)) if column.earliest else -np.inf


def find_months(moments: npt.NDArray[np.datetime64]) -> tuple[MonthArray, npt.NDArray[np.bool_]]:
	"""The month each moment stands for, and whether that depends on a zone that is not known.

	Moments are on the clock of UTC, or of nobody knows where. A month is that of the place where it was written, as
	midnight of its first day; on the clock of UTC that may be on the last day of the month before. So the midnight of a
	first day anywhere on earth is that first day. Another moment near the turn of a month is not guessed at.
	"""
	moments = moments.astype("datetime64[us]")
	months = moments.astype("datetime64[M]")
	in_the_east = (moments + _EASTERNMOST).astype("datetime64[M]")
	in_the_west = (moments - _WESTERNMOST).astype("datetime64[M]")
	time_of_day = (moments - moments.astype("datetime64[D]")).astype("int64")
	is_turn = (in_the_east != in_the_west) & ~np.isnat(moments)
	is_midnight = np.isin(time_of_day, _MIDNIGHTS)
	return np.where(is_midnight, in_the_east, months), is_turn & ~is_midnight


@lru_cache(maxsize=16)  # asked for by every application of a day
def to_days(day: pd.Timestamp) -> float:
	"""Days since 1970 of a point in time, its hours left out."""
	return float(np.datetime64(day.tz_localize(None), "D").astype("int64"))


def absence(column: Column) -> str:
	"""What is wrong with a missing value; "" where it may be missing."""
	return "" if column.nullable else "missing"


def show_value(value: object) -> str:
	"""A raw value as text for a message; a long one, such as a shifted address, by its length."""
	text = "" if is_missing(value) else str(value).strip().removesuffix(" 00:00:00")
	return text if len(text) <= _LONGEST_SHOWN else f"text of {len(text)} characters"


def _number_reader(column: Column) -> Reader:
	rules, absent, plain = list_rules(column), absence(column), _plain_number(column)
	accepts = _make_acceptance(column)

	def read(raw: object, as_of_days: float) -> tuple[Value, str]:  # noqa: ARG001
		if isinstance(raw, float):
			number: float | None = raw
		elif type(raw) is int:
			try:
				number = float(raw)
			except OverflowError:
				number = np.inf
		elif isinstance(raw, str):
			text = plain(raw.strip())
			number = float(text) if _NUMBER.fullmatch(text) else None if text else np.nan
		else:
			number = _to_float(raw)
		if number is None:
			return np.nan, "not a number"
		if accepts(number):
			return number, ""
		if number != number:  # noqa: PLR0124 (NaN alone is unlike itself; the quickest test)
			return np.nan, absent
		return np.nan, next(reason for breaks, reason in rules if breaks(number))

	return read


def _make_acceptance(column: Column) -> Callable[[float], bool]:
	"""Whether a number breaks no rule, told at less cost than by the rules."""
	if column.values:
		return frozenset(column.values).__contains__
	low: Any = column.minimum  # every number that is read has both, or a list of values
	high: Any = column.maximum
	if column.kind is Kind.COUNT:
		return lambda number: low <= number <= high and number % 1 == 0
	return lambda number: low <= number <= high


def _plain_number(column: Column) -> Callable[[str], str]:
	"""What takes the words off a number: `36 months`, `10+ years`, `< 1 year`, `n/a`."""
	match column.name:
		case "term_months":
			return lambda text: _MONTHS_WRITTEN.sub("", text)
		case "employment_years":
			return lambda text: "" if text.lower() == "n/a" else _YEARS_WRITTEN.sub("", _UNDER_ONE_YEAR.sub("0", text))
	return lambda text: text


def _to_float(raw: object) -> float | None:
	"""A value that is neither text nor a number of Python's own: NaN when missing, None when it is no number."""
	# numpy counts a span of time among its integers.
	if not isinstance(raw, np.timedelta64) and isinstance(raw, np.integer | np.floating | Decimal):
		return float(raw)
	return np.nan if is_missing(raw) else None


def _month_reader(column: Column) -> Reader:
	absent, implausible, earliest = absence(column), say_implausible(column), earliest_days(column)

	def read(raw: object, as_of_days: float) -> tuple[Value, str]:
		text = "" if is_missing(raw) else str(raw).strip()
		if not text:
			return np.nan, absent
		month, reason = _to_month(text)
		if reason:
			return np.nan, reason
		if month > as_of_days:
			return np.nan, say_future(as_of_days)
		return (np.nan, implausible) if month < earliest else (month, "")

	return read


@lru_cache(maxsize=4_096)  # a portfolio names a few hundred months, and reading one is slow
def _to_month(text: str) -> tuple[float, str]:
	"""First day of the month as days since 1970, from `Jan-2015`, an ISO date or a timestamp."""
	unreadable = np.nan, "not a month such as Jan-2015"
	# A year alone is ISO 8601 as well, but no month; "now" would be taken for one.
	if len(text) == 4 or not _YEAR.search(text):
		return unreadable
	moment = pd.to_datetime(text, format=MONTH_FORMAT, errors="coerce")
	offset = None
	if pd.isna(moment):
		offset = _UTC_OFFSET.search(text)
		local = _UTC_OFFSET.sub(r"\1", text)
		moment = pd.to_datetime(local, format="ISO8601", errors="coerce")
	if pd.isna(moment) or moment.year < 1:
		return unreadable
	moment = moment.tz_localize(None)
	# Where the zone is given, the month is what it says.
	if offset is None or not offset[2].strip("Z+-0:"):
		(month,), (is_unclear,) = find_months(np.array([moment]))
		if is_unclear:
			return np.nan, BETWEEN_MONTHS
		moment = pd.Timestamp(month)
	return to_days(moment.replace(day=1)), ""


def _text_reader(column: Column) -> Reader:
	names = {fold(name): name for name in (*column.categories, *column.listed)}
	is_closed, absent = bool(column.categories), absence(column)
	unknown = f"not one of {_list_some(column.categories)}"
	is_category = column.kind is Kind.CATEGORY

	def read(raw: object, as_of_days: float) -> tuple[Value, str]:  # noqa: ARG001
		text = raw if isinstance(raw, str) else "" if is_missing(raw) else str(raw)
		stripped = text.strip()
		if not stripped:
			return None, absent
		if not is_category:
			return text, ""
		# As it is on the list, however it is spelt.
		listed = names.get(fold(stripped))
		if listed is None and is_closed:
			return None, unknown
		return listed or stripped, ""

	return read


@lru_cache(maxsize=4_096)  # the same few names, in every application
def fold(name: str) -> str:
	"""A name of a category without case, and without what stands between its words."""
	return _BETWEEN_WORDS.sub("_", name.strip()).casefold()


def is_missing(raw: object) -> bool:
	"""Whether a single value stands for nothing: None, NaN, NaT, NA."""
	return raw is None or bool(pd.api.types.is_scalar(raw) and pd.isna(raw))  # type: ignore[call-overload]


def _list_some(names: Sequence[str]) -> str:
	return ", ".join(names if len(names) <= 8 else [*names[:3], "...", names[-1]])
