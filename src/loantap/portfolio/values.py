"""One value in LoanTap format, read by the rules of the data dictionary.

The only place that knows how a text becomes a number or a month and what is wrong with it.
`loantap_format` reads columns with it, once per distinct text; the scorer reads single
applications with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache, reduce
from operator import and_
from typing import Any

import numpy as np
import pandas as pd

from loantap.portfolio.dictionary import Column, Kind

MONTH_FORMAT = "%b-%Y"
_LONGEST_SHOWN = 20
# A month is that of the place where it was written down, whatever its offset from UTC.
_UTC_OFFSET = re.compile(r"(:\d{2}(?:\.\d+)?)\s*(?:Z|[+-]\d{2}:?\d{2})$")
# What float() takes, less underscores, digits of other scripts and "nan".
_NUMBER = re.compile(
    r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?)", re.ASCII | re.IGNORECASE
)
_YEAR = re.compile(r"\d{4}", re.ASCII)
_MONTHS_WRITTEN = re.compile(r"\s*months?$")
_YEARS_WRITTEN = re.compile(r"\+?\s*years?$")
_UNDER_ONE_YEAR = re.compile(r"^<\s*1 years?$")

# A number (missing: NaN), a month as days since 1970 (missing: NaN), or a text (missing: None).
Value = float | str | None
# Takes a raw value and the day of the run as days since 1970; gives the value, missing where it
# cannot be used, and what is wrong with it ("" when nothing is).
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
    """What a number of the column must not be, gravest first: the first rule broken is told.

    A missing number (NaN) breaks none.
    """
    rules: list[Rule] = [(lambda number: abs(number) == np.inf, "not a finite number")]
    if column.kind is Kind.COUNT:
        rules.append((lambda number: number % 1 > 0, "not a whole number"))
    if column.values:
        allowed = column.values
        first, *_, last = allowed
        few = f"{first:g} or {last:g}"
        named = few if len(allowed) == 2 else f"a whole number from {first:g} to {last:g}"
        rules.append(
            (
                lambda number: reduce(and_, [abs(number - one) > 0 for one in allowed]),
                f"not {named}",
            )
        )
    maximum, minimum = column.maximum, column.minimum
    if maximum is not None:
        rules.append((lambda number: number > maximum, f"above {maximum:g}"))
    if minimum is not None:
        rules.append((lambda number: number < minimum, f"below {minimum:g}"))
    return tuple(rules)


def say_future(as_of_days: float) -> str:
    """What is wrong with a month after the day of the run."""
    return f"after the day of the run, {np.datetime64(int(as_of_days), 'D')}"


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

    def read(raw: object, as_of_days: float) -> tuple[Value, str]:  # noqa: ARG001
        if isinstance(raw, float):
            number: float | None = raw
        elif isinstance(raw, str):
            text = plain(raw.strip())
            number = float(text) if _NUMBER.fullmatch(text) else None if text else np.nan
        else:
            number = _to_float(raw)
        if number is None:
            return np.nan, "not a number"
        if number != number:  # noqa: PLR0124 (NaN alone is unlike itself; the quickest test)
            return np.nan, absent
        for breaks, reason in rules:
            if breaks(number):
                return np.nan, reason
        return number, ""

    return read


def _plain_number(column: Column) -> Callable[[str], str]:
    """What takes the words off a number: `36 months`, `10+ years`, `< 1 year`, `n/a`."""
    match column.name:
        case "term_months":
            return lambda text: _MONTHS_WRITTEN.sub("", text)
        case "employment_years":
            return lambda text: (
                "" if text == "n/a" else _YEARS_WRITTEN.sub("", _UNDER_ONE_YEAR.sub("0", text))
            )
    return lambda text: text


def _to_float(raw: object) -> float | None:
    """A number that is not written as text; NaN when missing, None when it is no number."""
    if is_missing(raw):
        return np.nan
    if isinstance(raw, bool) or not isinstance(raw, int | np.integer | np.floating | Decimal):
        return None
    try:
        return float(raw)
    except OverflowError:
        return np.inf


def _month_reader(column: Column) -> Reader:
    absent = absence(column)

    def read(raw: object, as_of_days: float) -> tuple[Value, str]:
        text = "" if is_missing(raw) else str(raw).strip()
        if not text:
            return np.nan, absent
        month = _to_month(text)
        if month is None:
            return np.nan, "not a month such as Jan-2015"
        return (np.nan, say_future(as_of_days)) if month > as_of_days else (month, "")

    return read


@lru_cache(maxsize=4_096)  # a portfolio names a few hundred months, and reading one is slow
def _to_month(text: str) -> float | None:
    """First day of the month as days since 1970, from `Jan-2015`, an ISO date or a timestamp."""
    # A year alone is ISO 8601 as well, but no month; "now" would be taken for one.
    if len(text) == 4 or not _YEAR.search(text):
        return None
    moment = pd.to_datetime(text, format=MONTH_FORMAT, errors="coerce")
    if pd.isna(moment):
        local = _UTC_OFFSET.sub(r"\1", text)
        moment = pd.to_datetime(local, format="ISO8601", errors="coerce")
    if pd.isna(moment) or moment.year < 1:
        return None
    return to_days(moment.tz_localize(None).replace(day=1))


def _text_reader(column: Column) -> Reader:
    known, absent = frozenset(column.categories), absence(column)
    unknown = f"not one of {_list_some(column.categories)}"
    is_category = column.kind is Kind.CATEGORY

    def read(raw: object, as_of_days: float) -> tuple[Value, str]:  # noqa: ARG001
        text = raw if isinstance(raw, str) else "" if is_missing(raw) else str(raw)
        stripped = text.strip()
        if not stripped:
            return None, absent
        if known and stripped not in known:
            return None, unknown
        return (stripped if is_category else text), ""

    return read


def is_missing(raw: object) -> bool:
    """Whether a single value stands for nothing: None, NaN, NaT, NA."""
    return raw is None or bool(pd.api.types.is_scalar(raw) and pd.isna(raw))  # type: ignore[call-overload]


def _list_some(names: Sequence[str]) -> str:
    return ", ".join(names if len(names) <= 8 else [*names[:3], "...", names[-1]])
