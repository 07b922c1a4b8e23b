"""Months and numbers as other lenders write them, turned into those of the data dictionary."""

import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from loantap.portfolio.amortisation import MONTHS_PER_YEAR
from loantap.portfolio.values import MONTH_FORMAT
from loantap.tables.written_numbers import GROUPED, WITH_COMMAS, drop_commas, drop_percent, is_text, turn_commas

# What LoanTap's form is read by; a date in one of them needs no other.
_OWN: Final = (MONTH_FORMAT, "%Y-%m", "%Y-%m-%d")
_OTHERS: Final = (
	"%d/%m/%Y",
	"%m/%d/%Y",
	"%Y/%m/%d",
	"%d.%m.%Y",
	"%m.%d.%Y",
	"%d-%m-%Y",
	"%m-%d-%Y",
	"%m/%Y",
	"%Y/%m",
	"%Y%m%d",
	"%Y%m",
	"%d-%b-%Y",
	"%d %b %Y",
	"%b %Y",
	"%b %d, %Y",
	"%B %Y",
	"%d %B %Y",
	"%B %d, %Y",
)
_TRIED: Final = datetime(2015, 12, 1)  # noqa: DTZ001 (a month has no zone)


class TwoFormsError(ValueError):
	"""A date that fits two forms, with another month in each."""

	def __init__(self, text: str, readings: dict[str, str]) -> None:
		self.first_form = next(iter(readings))
		super().__init__(f"'{text}' may be {' or '.join(f'{month} ({form})' for form, month in readings.items())}")


def is_date_form(form: str) -> bool:
	"""Whether a form tells year and month, so that a date can be read by it."""
	return _to_month(f"{_TRIED:{form}}", form) == f"{_TRIED:{MONTH_FORMAT}}"


def read_date(text: str, form: str) -> tuple[str, str]:
	"""The month of a date, and what is wrong with it, or ""; TwoFormsError where no form is given and it fits two."""
	found = {form: _to_month(text.strip(), form)} if form else list_forms(text)
	if len(set(found.values())) > 1:
		raise TwoFormsError(text.strip(), found)
	# What fits none of many is for LoanTap's own rules, which know times and zones.
	month = next(iter(found.values()), text)
	return (month, "") if month or not form else (text, f"'{text.strip()}' is not of the form {form}")


def list_forms(text: str) -> dict[str, str]:
	"""The month that a text is in each form it fits; LoanTap's own forms go before others."""
	for forms in (_OWN, _OTHERS):
		found = {form: month for form in forms if (month := _to_month(text.strip(), form))}
		if found:
			return found
	return {}


@lru_cache(maxsize=4_096)
def _to_month(text: str, form: str) -> str:
	try:
		day = datetime.strptime(text, form)  # noqa: DTZ007
	except ValueError:
		return ""
	# By %Y%m%d strptime takes 201511 for Jan-2015.
	if re.fullmatch(r"(?:%\w)+", form) and f"{day:{form}}".lower() != text.lower():
		return ""
	return f"{day:{MONTH_FORMAT}}" if day.year >= 1000 else ""


class Unit(StrEnum):
	"""How a column writes its numbers, or what they count."""

	PERCENT = "percent"  # 13.56%
	GROUPED = "grouped"  # 1,234.50 or $1,47,300
	DECIMAL_COMMA = "decimal_comma"  # 1.234,50
	MONTHS = "months"  # 36 months
	SHARE = "share"  # 0.1356 for 13.56 percent
	YEARS = "years"  # 3 for 36 months
	PER_MONTH = "per_month"  # for amounts per year
	THOUSANDS = "thousands"  # for single units


_FACTORS: Final = MappingProxyType(
	{Unit.SHARE: 100, Unit.YEARS: MONTHS_PER_YEAR, Unit.PER_MONTH: MONTHS_PER_YEAR, Unit.THOUSANDS: 1_000}
)
# How the dictionary's unit begins where one of these makes sense.
FITS: Final = MappingProxyType(
	{
		Unit.PERCENT: "percent",
		Unit.SHARE: "percent",
		Unit.MONTHS: "months",
		Unit.YEARS: "months",
		Unit.PER_MONTH: "currency per year",
		Unit.THOUSANDS: "currency",
	}
)
_NUMBER: Final = r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$"
# The marks of currencies, and blanks of any kind.
_AROUND: Final = r"[\s\pZ\p{Sc}]+"
_DIGITS: Final = 10


def convert_units(column: pa.ChunkedArray, units: Iterable[Unit]) -> pa.ChunkedArray:
	"""Numbers in the units of the dictionary; what does not fit a unit stays as it is written.

	Signs and separators go first.

	>>> written = pa.chunked_array([["13,56 %", "n/a", None]])
	>>> convert_units(written, [Unit.DECIMAL_COMMA, Unit.PERCENT]).to_pylist()
	['13.56', 'n/a', None]
	"""
	for unit in sorted(units, key=list(Unit).index):
		if unit in _FACTORS:
			column = _multiply(column, _FACTORS[unit])
		elif is_text(column):
			column = _make_plain(column, unit)
	return column


def _make_plain(column: pa.ChunkedArray, unit: Unit) -> pa.ChunkedArray:
	match unit:
		case Unit.PERCENT:
			return drop_percent(column)
		case Unit.MONTHS:
			return pc.replace_substring_regex(column, r"(?i)^\s*(\d+)\s*(?:months?|mths?|mos?)\.?\s*$", r"\1")
	pattern, change = (GROUPED, drop_commas) if unit is Unit.GROUPED else (WITH_COMMAS, turn_commas)
	bare = pc.replace_substring_regex(column, _AROUND, "")
	plain = pc.if_else(pc.match_substring_regex(bare, pattern), change(bare), bare)
	# Words keep their blanks.
	return pc.if_else(pc.match_substring_regex(plain, _NUMBER), plain, column)


def _multiply(column: pa.ChunkedArray, factor: int) -> pa.ChunkedArray:
	if not is_text(column):
		return pc.round(pc.multiply(column.cast(pa.float64()), factor), _DIGITS)
	bare = pc.utf8_trim_whitespace(column)
	is_number = pc.match_substring_regex(bare, _NUMBER)
	numbers = pc.if_else(is_number, bare, pa.scalar(None, bare.type)).cast(pa.float64())
	made = pc.round(pc.multiply(numbers, factor), _DIGITS).cast(bare.type)
	return pc.coalesce(made, column)
