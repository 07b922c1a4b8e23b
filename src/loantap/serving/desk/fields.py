"""Fields of an application, from the data dictionary: types, meaning, a made-up example; readers judge values."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from loantap.policy.score_table import APPLICATION_ID
from loantap.portfolio.dictionary import COLUMNS, CSV_ORDER, Column, Kind, portfolio_columns
from loantap.serving.desk.applications import Applications

# Nobody's: 12,000 over three years at 14% a year.
EXAMPLE: Final = MappingProxyType(
	{
		"loan_amount": 12_000,
		"term_months": "36 months",
		"interest_rate_pct": 14.0,
		"instalment": 410.13,
		"grade": "C",
		"sub_grade": "C2",
		"profession": "Clock maker",
		"employment_years": "4 years",
		"home_ownership": "RENT",
		"annual_income": 60_000,
		"income_verification": "Verified",
		"issue_month": "Jan-2014",
		"purpose": "debt_consolidation",
		"title": "Debt consolidation",
		"dti_pct": 18.5,
		"earliest_credit_line": "Jan-2004",
		"open_accounts": 11,
		"public_records": 0,
		"revolving_balance": 9_999,
		"revolving_utilisation_pct": 45.5,
		"total_accounts": 25,
		"listing_status": "w",
		"application_type": "INDIVIDUAL",
		"mortgage_accounts": 2,
		"bankruptcies": 0,
		"address": "12 Nowhere Lane\nSampleville, OK 22690",
	}
)
_ID: Final = MappingProxyType(
	{
		"name": APPLICATION_ID,
		"label": "Application id",
		"meaning": "Identifier of the application",
		"unit": "",
		"kind": "text",
		"minimum": None,
		"maximum": None,
		"values": None,
		"example": "A-1042",
		"required": False,
		"nullable": True,
		"personal": False,
	}
)
# Characters; the published data's longest address has fewer than 80.
_LONGEST: Final = {Kind.TEXT: 500, Kind.CATEGORY: 100}
_LONGEST_NUMBER: Final = 60
# Floats cannot hold all larger whole numbers.
_LARGEST: Final = 2.0**53


@dataclass(frozen=True, slots=True)
class FieldError:
	"""What is wrong with one field, and what to do about it."""

	field: str
	problem: str
	remedy: str


@lru_cache(maxsize=1)
def application_columns() -> dict[str, Column]:
	"""The LoanTap format's columns by source name, in file order."""
	return {str(column.source_name): column for column in portfolio_columns()}


@dataclass(frozen=True, slots=True)
class ApplicationFields:
	"""Fields that an application may have; those `needed` are read."""

	needed: tuple[Column, ...]
	_types: Mapping[str, tuple[frozenset[type], int]] = field(init=False, repr=False)
	_required: frozenset[str] = field(init=False, repr=False)

	def __post_init__(self) -> None:
		text = frozenset({str, type(None)})
		number = text | {int, float}
		types = {
			name: (number, _LONGEST_NUMBER)
			if column.kind in (Kind.NUMBER, Kind.COUNT)
			else (text, _LONGEST.get(column.kind, _LONGEST_NUMBER))
			for name, column in application_columns().items()
		}
		types[APPLICATION_ID] = (frozenset({str, int, type(None)}), _LONGEST[Kind.CATEGORY])
		object.__setattr__(self, "_types", types)
		names = frozenset(str(column.source_name) for column in self.needed)
		object.__setattr__(self, "_required", names)

	def check(self, application: Mapping[str, Any]) -> list[FieldError]:
		"""What is wrong with an application's names and types."""
		errors: list[FieldError] = []
		types = self._types
		for name, value in application.items():
			known = types.get(name)
			if known is None:
				errors.append(_tell_unknown(name, types))
				continue
			allowed, longest = known
			kind = type(value)
			if kind not in allowed:
				errors.append(_tell_type(name, allowed))
			elif kind is str:
				if len(value) > longest:
					errors.append(_tell_length(name, longest))
			elif value is not None and not -_LARGEST <= value <= _LARGEST:
				errors.append(_tell_size(name, value))
		if not self._required <= application.keys():
			errors += self._tell_missing(application)
		identifier = application.get(APPLICATION_ID)
		if type(identifier) is str and not identifier.isprintable():
			errors.append(FieldError(APPLICATION_ID, "it has a control character", "Send printable text"))
		return errors

	def are_good(self, applications: Applications) -> bool:
		"""Whether all have the same fields and pass `check`, in a tenth of the time."""
		columns = applications.columns
		if columns is None or not self._required <= columns.keys() <= self._types.keys():
			return False
		return all(self._is_good(name, applications) for name in columns)

	def _is_good(self, name: str, applications: Applications) -> bool:
		allowed, longest = self._types[name]
		values = (applications.columns or {})[name]
		kinds = applications.list_kinds(name)
		if not allowed >= kinds:
			return False
		if str in kinds:
			texts = values if len(kinds) == 1 else [v for v in values if type(v) is str]
			if max(map(len, texts)) > longest:
				return False
			if name == APPLICATION_ID and not all(map(str.isprintable, texts)):
				return False
			if kinds <= {str, type(None)}:
				return True
			numbers = (v for v in values if v is not None and type(v) is not str)
			return all(-_LARGEST <= number <= _LARGEST for number in numbers)
		try:
			is_good = np.abs(applications.measure(name)) <= _LARGEST
		except OverflowError:
			return False
		# NaN is not finite; where a value is None it is one.
		return int(is_good.sum()) == len(values) - values.count(None)

	def _tell_missing(self, application: Mapping[str, Any]) -> Iterable[FieldError]:
		for column in self.needed:
			name = str(column.source_name)
			if name not in application:
				remedy = "Give it, or null where it is not known" if column.nullable else "Give it"
				meaning = f"{column.meaning[:1].lower()}{column.meaning[1:]}"
				yield FieldError(name, f"missing ({meaning})", remedy)


def tell_remedy(column: Column) -> str:
	"""What to do about an unusable value of a column."""
	if column.values:
		return f"Give one of {', '.join(f'{value:g}' for value in column.values)}"
	if column.categories:
		return f"Give one of {', '.join(column.categories)}"
	if column.kind is Kind.MONTH:
		return "Give a month such as Jan-2015 or 2015-01-01"
	if column.minimum is not None and column.maximum is not None:
		whole = "a whole number" if column.kind is Kind.COUNT else "a number"
		unit = f" ({column.unit})" if column.unit else ""
		return f"Give {whole} from {_show(column.minimum)} to {_show(column.maximum)}{unit}"
	return "Give a text"


def _show(number: float) -> str:
	return f"{number:,.0f}" if number == round(number) else f"{number:,g}"


def _tell_unknown(name: str, known: Iterable[str]) -> FieldError:
	from difflib import get_close_matches

	near = get_close_matches(name[:40], list(known), n=1)
	shown = name[:40] if name[:40].isprintable() else ascii(name[:40])
	guess = f"Did you mean {near[0]}? " if near else ""
	return FieldError(shown, "unknown field", f"{guess}Leave it out; GET /v1/schema/application lists the fields")


def _tell_type(name: str, allowed: frozenset[type]) -> FieldError:
	if name == APPLICATION_ID:
		return FieldError(name, "neither a text, nor a whole number, nor null", "Give a text")
	if float in allowed:
		return FieldError(
			name, "neither a number, nor a text as in a LoanTap file, nor null", tell_remedy(application_columns()[name])
		)
	return FieldError(name, "neither a text nor null", tell_remedy(application_columns()[name]))


def _tell_length(name: str, longest: int) -> FieldError:
	return FieldError(name, f"longer than {longest} characters", "Shorten it")


def _tell_size(name: str, value: float) -> FieldError:
	if isinstance(value, float) and not math.isfinite(value):
		return FieldError(name, "not a finite number", "Give a number, or null")
	return FieldError(name, "larger than any number that can be meant", "Give a smaller number")


def make_example(needed: tuple[Column, ...]) -> dict[str, Any]:
	"""The made-up application with the needed fields, by source name."""
	return {str(column.source_name): EXAMPLE[column.name] for column in needed}


def describe_fields(needed: tuple[Column, ...]) -> list[dict[str, Any]]:
	"""What each field of an application but the outcome means, in dictionary order."""
	names = {column.name for column in needed}
	known = [COLUMNS[name] for name in CSV_ORDER if name != "loan_status"]
	return [dict(_ID), *(_describe(column, required=column.name in names) for column in known)]


def _describe(column: Column, *, required: bool) -> dict[str, Any]:
	values: list[float | str] = [*column.values] or [*column.categories] or [*column.listed]
	return {
		"name": str(column.source_name),
		"label": column.label,
		"meaning": column.meaning,
		"unit": column.unit,
		"kind": "integer" if column.kind is Kind.COUNT else column.kind.value,
		"minimum": column.minimum,
		"maximum": column.maximum,
		"values": values or None,
		"example": EXAMPLE[column.name],
		"required": required,
		"nullable": column.nullable,
		"personal": column.personal,
	}
