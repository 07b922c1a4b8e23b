"""Totals and notes below the table of a CSV."""

import re

from loantap.tables.csv_blocks import Records

_MAX_LINES = 20
_TOTAL = re.compile(r"^\W*((grand|sub)\W?)?(totals?|sum|count|average|mean)\b", re.IGNORECASE)


def find_table_end(records: Records, block: bytes, delimiter: str, width: int) -> int:
    """How many of the last rows of a file belong to its table.

    Lines without a value do not, nor a total, which is mostly empty, nor notes behind the only empty line.
    """
    end = len(records)
    for place in range(end - 1, max(end - _MAX_LINES, 0) - 1, -1):
        filled = _list_filled(records, place, block, delimiter)
        if not filled or (_TOTAL.match(filled[0]) and len(filled) * 2 <= width):
            end = place
        elif len(filled) * 3 > width:
            break
        elif place and not _list_filled(records, place - 1, block, delimiter):
            # A short row in a file with empty lines between its rows is one that was cut.
            above = range(max(place - 1 - _MAX_LINES, 0), place - 1)
            if not all(_list_filled(records, line, block, delimiter) for line in above):
                break
            end = place
    return end


def _list_filled(records: Records, place: int, block: bytes, delimiter: str) -> list[str]:
    text = records.row(place, block).decode(errors="replace")
    cells = (cell.strip(' \t\r\n"') for cell in text.split(delimiter))
    return [cell for cell in cells if cell]
