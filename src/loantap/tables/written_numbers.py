"""Numbers as people and spreadsheets write them, `147,300`, `11,42` or `10.65%`, made plain.

What can be read in one way only is read; what can be read in two is refused with both.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from loantap.portfolio.errors import InputError
from loantap.tables.columns import LOANTAP, Expected

# Thousands in groups as in 1,234,567 or, in lakhs, 12,34,567, with decimals or without.
GROUPED: Final = r"^\s*[-+]?[1-9]\d{0,2}(?:(?:,\d{3})+|(?:,\d{2})+,\d{3})(?:\.\d*)?\s*$"
_TWO_READINGS: Final = r"^\s*[-+]?[1-9]\d{0,2},\d{3}\s*$"
# What only somebody writes for whom a point begins the decimals, and a comma.
_POINTS: Final = (
	r"^\s*[-+]?(?:0*\.\d+|0+\.\d+|\d{4,}\.\d+|\d+\.(?:\d{1,2}|\d{4,})"
	r"|\d{1,3}(?:,\d{2,3})*,\d{3}\.\d*|\d{1,3}(?:,\d{2,3})+,\d{3})\s*$"
)
_COMMAS: Final = (
	r"^\s*[-+]?(?:0*,\d+|\d{4,},\d+|\d+,(?:\d{1,2}|\d{4,})"
	r"|\d{1,3}(?:\.\d{3})+,\d*|\d{1,3}(?:\.\d{3}){2,})\s*$"
)
WITH_COMMAS: Final = r"^\s*[-+]?(?:\d{1,3}(?:\.\d{3})+|\d*)(?:,\d*)?\s*$"
_PERCENT: Final = r"\s*%\s*$"
# One decimal comma among so many decimal points is a slip, which its row alone answers for.
_SLIP: Final = 20


@dataclass(slots=True)
class WrittenNumbers:
	"""Makes the numbers of one file plain by batches; `done` says how, and in which columns."""

	where: str
	expected: Expected = LOANTAP
	done: dict[str, dict[str, None]] = field(default_factory=dict)
	_decimal: str = ""

	def make_plain(self, table: pa.Table) -> pa.Table:
		"""The table, texts in its columns of numbers as plain numbers where they can be read.

		>>> table = pa.table({"annual_inc": ["1,47,300", "52000.5"], "int_rate": ["10.65%", "7"]})
		>>> WrittenNumbers("loans.csv").make_plain(table).to_pydict()
		{'annual_inc': ['147300', '52000.5'], 'int_rate': ['10.65', '7']}

		Raises:
			InputError: a number can be read in two ways.
		"""
		for name in self.expected.percentages.intersection(table.column_names):
			table = self._change(table, name, "percent signs left out", _PERCENT, drop_percent)
		texts = [name for name in table.column_names if name in self.expected.numbers and is_text(table[name])]
		if not any(_has(table[name], ",") for name in texts) and self._decimal != ",":
			return table
		self._find_decimal(table, texts)
		if self._decimal == ".":
			said, pattern, change = "commas between thousands left out", GROUPED, drop_commas
		else:
			said, pattern, change = "decimal commas read as points", WITH_COMMAS, turn_commas
		for name in texts:
			table = self._change(table, name, said, pattern, change)
		return table

	def _change(
		self, table: pa.Table, name: str, said: str, pattern: str, change: Callable[[pa.ChunkedArray], pa.ChunkedArray]
	) -> pa.Table:
		column = table[name]
		if not is_text(column):
			return table
		changed = pc.if_else(pc.match_substring_regex(column, pattern), change(column), column)
		if changed.equals(column):
			return table
		self.done.setdefault(said, {})[name] = None
		return table.set_column(table.column_names.index(name), name, changed)

	def _find_decimal(self, table: pa.Table, names: list[str]) -> None:
		"""What begins the decimals, by the numbers that leave no doubt."""
		points = sum(_count(table[name], _POINTS) for name in names)
		commas = sum(_count(table[name], _COMMAS) for name in names)
		if self._decimal == "." or (points and commas * _SLIP <= points):
			self._decimal = "."
		elif points:
			raise InputError(
				f"{self.where}, column {_name_first(table, names, _COMMAS)}",
				f"decimals begin with a comma here and with a point in column {_name_first(table, names, _POINTS)}",
				"Write the numbers of a file in one way, 11.42 or 11,42",
			)
		elif commas or self._decimal == ",":
			self._decimal = ","
		else:
			self._refuse_two_readings(table, names)

	def _refuse_two_readings(self, table: pa.Table, names: list[str]) -> None:
		for name in names:
			found = table[name].filter(pc.match_substring_regex(table[name], _TWO_READINGS))
			if len(found):
				value = found[0].as_py().strip()
				raise InputError(
					f"{self.where}, column {name}",
					f"'{value}' may be {value.replace(',', '')} or {value.replace(',', '.')}, and "
					f"no other number of the file says which",
					"Write it without the comma, or with a point before the decimals",
				)


def drop_percent(column: pa.ChunkedArray) -> pa.ChunkedArray:
	"""Texts without the percent sign at their end."""
	return pc.replace_substring_regex(column, _PERCENT, "")


def drop_commas(column: pa.ChunkedArray) -> pa.ChunkedArray:
	"""Texts without commas, which stood between thousands."""
	return pc.replace_substring(column, ",", "")


def turn_commas(column: pa.ChunkedArray) -> pa.ChunkedArray:
	"""Texts without the points between thousands, their decimal commas as points."""
	return pc.replace_substring(pc.replace_substring(column, ".", ""), ",", ".")


def undo_dictionary(column: pa.ChunkedArray) -> pa.ChunkedArray:
	"""The same values, each written out."""
	return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def is_text(column: pa.ChunkedArray) -> bool:
	"""Whether a column holds texts."""
	return str(column.type) in {"string", "large_string"}


def _has(column: pa.ChunkedArray, text: str) -> bool:
	return pc.any(pc.match_substring(column, text)).as_py() is True


def _count(column: pa.ChunkedArray, pattern: str) -> int:
	return int(pc.sum(pc.match_substring_regex(column, pattern)).as_py() or 0)


def _name_first(table: pa.Table, names: list[str], pattern: str) -> str:
	return next(name for name in names if _count(table[name], pattern))
