"""The applications of a batch: one by one as they were sent, and a column at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
from pydantic_core import to_json

from loantap.portfolio.arrays import FloatArray

_BETWEEN: Final = re.compile(r"\}\s*,\s*\{")


class Applications:
    """Applications of a batch.

    Args:
        rows: by source column name.
        text: JSON of a list of them, as it was sent; "" where it was not.

    Attributes:
        rows: as given.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]], text: str = "") -> None:
        self.rows = rows
        self._text = text
        self._arrays: dict[str, FloatArray] = {}

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def columns(self) -> dict[str, tuple[Any, ...]] | None:
        """Values by source column name; None where fields differ from row to row."""
        names = tuple(self.rows[0]) if self.rows else ()
        if not names or not all(map(names.__eq__, map(tuple, self.rows))):
            return None
        values = zip(*(row.values() for row in self.rows), strict=True)
        return dict(zip(names, values, strict=True))

    @cached_property
    def texts(self) -> list[str]:
        """Each as a JSON object, as it was sent where that can be told.

        It can where objects are separated as often as there are rows; more often where one has
        an object in it, or a text that looks like the end of one.
        """
        text = self._text or to_json(self.rows).decode()
        pieces = _BETWEEN.split(text[text.index("{") + 1 : text.rindex("}")]) if self.rows else []
        if len(pieces) != len(self.rows):
            return [to_json(row).decode() for row in self.rows]
        return [f"{{{piece}}}" for piece in pieces]

    def take(self, name: str, places: Sequence[int]) -> Sequence[Any]:
        """The values of a field in some rows; None where a row lacks it."""
        if self.columns is None:
            return [self.rows[place].get(name) for place in places]
        values = self.columns.get(name)
        if values is None:
            return [None] * len(places)
        return values if len(places) == len(values) else [values[place] for place in places]

    def measure(self, name: str) -> FloatArray | None:
        """A column of numbers, NaN for None; None where one is too large to be told exactly."""
        if name not in self._arrays:
            values = (self.columns or {})[name]
            try:
                self._arrays[name] = np.array(values, dtype="float64")
            except OverflowError:
                return None
        return self._arrays[name]
