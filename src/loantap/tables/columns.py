"""Columns of other people's files, known by the names of the data dictionary."""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from loantap.portfolio.dictionary import Kind, portfolio_columns
from loantap.portfolio.errors import InputError

APPLICATION_ID: Final = "application_id"
KNOWN: Final = frozenset({APPLICATION_ID, *(str(c.source_name) for c in portfolio_columns())})
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
# The only column whose values may be written over two lines.
TWO_LINES: Final = "address"

# Blanks, and the marks of no width that spreadsheets leave.
_BLANK = " \t\r\n\u00a0\u200b\ufeff"
_FILLING = re.compile(r"[\s_-]+")


def recognise(names: Sequence[str], where: str) -> tuple[str, ...]:
    """Names of columns as the dictionary writes them; others as they stand, less blanks around.

    Raises:
        InputError: two of them are the same column of the dictionary.
    """
    found = tuple(fold if (fold := fold_name(name)) in KNOWN else name.strip() for name in names)
    places = defaultdict(list)
    for place, name in enumerate(found, start=1):
        places[name].append(place)
    for name in sorted(KNOWN & places.keys(), key=found.index):
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
