"""Columns of other people's files, known by the names of the data dictionary."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class Expected:
  """What is known of a file before it is opened: LoanTap's form, or what a column map says.

  Attributes:
      names: columns by their folded name; "" where they stay as the file writes them.
      numbers: those of plain numbers, however they may be written.
      percentages: those whose numbers may have a percent sign.
      two_lines: the only one whose values may be written over two lines.
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
  """Names of columns as they are expected; others as they stand, less blanks around.

  Raises:
      InputError: two of them are the same expected column.
  """
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
