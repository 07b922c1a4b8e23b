"""Columns of other people's files, known by the names of the data dictionary, and the header of a CSV that has them."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from loantap.portfolio.dictionary import Kind, portfolio_columns
from loantap.portfolio.errors import InputError

APPLICATION_ID: Final = "application_id"
# Plain numbers, of which a person may write `147,300` or `11.4%`; terms have words of their own.
NUMBERS: Final = frozenset(
	str(column.source_name)
	for column in portfolio_columns()
	if column.kind in (Kind.NUMBER, Kind.COUNT) and not column.written
)
PERCENTAGES: Final = frozenset(
	str(column.source_name) for column in portfolio_columns() if column.unit.startswith("percent")
)
RENAMED: Final = "names of columns read in their usual spelling"

# Blanks, and the marks of no width that spreadsheets leave.
_BLANK = " \t\r\n\u00a0\u200b\ufeff"
_FILLING = re.compile(r"[\s_-]+")
DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
# Titles and notes above a table take fewer lines.
_MAX_LINES = 40
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")
# How Excel is told the delimiter.
_SEPARATOR = re.compile(r'^"?sep=([,;|])"?$', re.IGNORECASE)
# So many expected names make a header, or all of its names where they are fewer.
_MIN_KNOWN = 3


@dataclass(frozen=True, slots=True)
class Expected:
	"""What is known of a file before it is opened: LoanTap's form, or what a column map says.

	Attributes:
		names: columns by their folded name; "" where they stay as the file writes them.
		numbers: those of plain numbers.
		two_lines: the only one whose values may have two lines.
		above: lines above the header; None where it is to be found.
		below: lines below the table, beside those that are told from rows.
		notes: how lines begin that are no rows.
	"""

	names: Mapping[str, str]
	numbers: frozenset[str] = NUMBERS
	percentages: frozenset[str] = PERCENTAGES
	two_lines: str = "address"
	above: int | None = None
	below: int = 0
	notes: tuple[str, ...] = ()


LOANTAP: Final = Expected(
	MappingProxyType({name: name for name in (APPLICATION_ID, *(str(c.source_name) for c in portfolio_columns()))})
)


def recognise(names: Sequence[str], where: str, expected: Expected) -> tuple[str, ...]:
	"""Names of columns as expected, others stripped; InputError where two are the same expected column."""
	found = tuple(expected.names.get(fold_name(name)) or name.strip() for name in names)
	places = defaultdict(list)
	for place, name in enumerate(found, start=1):
		places[name].append(place)
	for name in sorted(places.keys() & (set(expected.names.values()) - {""}), key=found.index):
		if len(places[name]) > 1:
			written = ", ".join(f"'{names[place - 1]}' ({place})" for place in places[name])
			raise InputError(
				where,
				f"column {name} is there {len(places[name])} times: {written}",
				"Keep one and remove the others, or rename them",
			)
	return found


def fold_name(name: str) -> str:
	"""The name of a column as the data dictionary spells it, whatever its capitals and spaces.

	>>> [fold_name(name) for name in ("Annual Inc", "ANNUAL_INC", " annual_inc ")]
	['annual_inc', 'annual_inc', 'annual_inc']
	"""
	return _FILLING.sub("_", name.strip(_BLANK).lower())


@dataclass(frozen=True, slots=True)
class Head:
	"""What the first lines of a CSV say.

	Attributes:
		names: of the columns, as they stand.
		line: the header as it stands, without its end.
		end: where the rows begin in the file, in bytes.
		next_line: number of the line on which they begin, from 1.
		notes: what was done to find it.
	"""

	names: tuple[str, ...]
	delimiter: str
	line: bytes
	end: int
	next_line: int
	notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Line:
	number: int
	text: str
	raw: bytes
	end: int

	def cells(self, delimiter: str) -> list[str]:
		"""Its values; raises csv.Error where a quotation mark is not closed."""
		return next(csv.reader([self.text], delimiter=delimiter, strict=True), [])


def read_head(block: bytes, where: str, expected: Expected) -> Head:
	"""Find the header among the first lines of a file.

	It is the line with most of the names expected in it, else the first; or the one below the lines `above`.

	Raises:
		InputError: a quotation mark too many in it, or rows above it.
	"""
	lines = [line for line in _list_lines(block) if line.text.strip(" \t,;|")]
	delimiters = list(DELIMITERS)
	if lines and (told := _SEPARATOR.match(lines[0].text.strip())):
		delimiters, lines = [told[1]], lines[1:]
	if not lines:
		raise InputError(where, "it has no header", "Give a file with a header and rows")
	header, delimiter = _choose_header(_from_counted(lines, expected, where), delimiters, expected)
	line = f"{where}, line {header.number}"
	try:
		names = tuple(header.cells(delimiter))
	except csv.Error as error:
		raise InputError(line, "a quotation mark in the header is not closed", "Close it or take it out") from error
	if not any(name.strip() for name in names):
		raise InputError(line, "no column of the header has a name", "Name them")
	above = lines[: lines.index(header)]
	if expected.above is None:
		_require_no_rows(above, header, delimiter, len(names), where)
	notes = []
	if delimiter != ",":
		notes.append(f"values separated by {DELIMITERS[delimiter]}s")
	if above:
		notes.append(f"header on line {header.number}, the lines above it left out")
	return Head(names, delimiter, header.raw, header.end, header.number + 1, tuple(notes))


def _from_counted(lines: list[_Line], expected: Expected, where: str) -> list[_Line]:
	if expected.above is None:
		return lines
	below = [line for line in lines if line.number > expected.above]
	if not below:
		problem = f"nothing stands below its first {expected.above} lines"
		raise InputError(where, problem, "Correct `above` in the column map")
	return below[:1]


def _choose_header(lines: list[_Line], delimiters: list[str], expected: Expected) -> tuple[_Line, str]:
	known, header, delimiter = 0, lines[0], max(delimiters, key=lines[0].text.count)
	for line in lines:
		for candidate in delimiters:
			if (found := _count_known(line, candidate, expected)) > known:
				known, header, delimiter = found, line, candidate
	return header, delimiter


def _list_lines(block: bytes) -> Iterator[_Line]:
	place = 0
	for number in range(1, _MAX_LINES + 1):
		found = _LINE.match(block, place)
		if found is None or place == len(block):
			return
		place = found.end()
		raw = found.group().rstrip(b"\r\n")
		yield _Line(number, raw.decode(errors="replace"), raw, place)


def _count_known(line: _Line, delimiter: str, expected: Expected) -> int:
	"""How many expected names it holds; 0 where too few for a header."""
	try:
		cells = [fold_name(cell) for cell in line.cells(delimiter)]
	except csv.Error:
		return 0
	known = sum(cell in expected.names for cell in cells)
	return known if known >= min(_MIN_KNOWN, len(cells)) else 0


def _require_no_rows(above: list[_Line], header: _Line, delimiter: str, width: int, where: str) -> None:
	for line in above:
		filled = [cell for cell in line.text.split(delimiter) if cell.strip()]
		if len(filled) * 2 > width:
			raise InputError(
				f"{where}, line {line.number}",
				f"this line looks like a row, and the header is on line {header.number}",
				"Put the header first",
			)
