"""The header of a CSV: where it is, and what stands between its values."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from loantap.portfolio.errors import InputError
from loantap.tables.columns import Expected, fold_name

DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
# Titles and notes above a table take fewer lines.
_MAX_LINES = 40
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")
# How Excel is told the delimiter.
_SEPARATOR = re.compile(r'^"?sep=([,;|])"?$', re.IGNORECASE)
# So many expected names make a header, or all of its names where they are fewer.
_MIN_KNOWN = 3


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

  It is the line with most of the names expected in it; without any, the first line. Where the
  lines above it are counted, it is the one below them.

  Raises:
      InputError: there is a quotation mark too many in it, or rows stand above it.
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
