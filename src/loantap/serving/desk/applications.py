"""A batch's applications: as they were sent, and by column."""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from pydantic_core import to_json

from loantap.portfolio.arrays import FloatArray

_NUMBERS: Final = frozenset({float, int, type(None)})
_TEXTS: Final = frozenset({str, type(None)})
_BETWEEN: Final = re.compile(r"\}\s*,\s*\{")


class Applications:
	"""Applications of a batch, by source column name; with their JSON list, or ""."""

	def __init__(self, rows: Sequence[Mapping[str, Any]], text: str = "") -> None:
		self.rows = rows
		self._text = text
		self._arrays: dict[str, FloatArray] = {}
		self._kinds: dict[str, set[type]] = {}

	def __len__(self) -> int:
		return len(self.rows)

	@cached_property
	def columns(self) -> dict[str, tuple[Any, ...]] | None:
		"""Values by source column name; None if fields differ from row to row."""
		names = tuple(self.rows[0]) if self.rows else ()
		if not names or not all(map(names.__eq__, map(tuple, self.rows))):
			return None
		values = zip(*(row.values() for row in self.rows), strict=True)
		return dict(zip(names, values, strict=True))

	@cached_property
	def texts(self) -> list[str]:
		"""Each as a JSON object, as it was sent unless a nested object makes that unclear."""
		text = self._text or to_json(self.rows).decode()
		self._text = ""  # megabytes, which nobody asks for again
		pieces = _BETWEEN.split(text[text.index("{") + 1 : text.rindex("}")]) if self.rows else []
		if len(pieces) != len(self.rows):
			return [to_json(row).decode() for row in self.rows]
		return [f"{{{piece}}}" for piece in pieces]

	def take(self, name: str, places: Sequence[int]) -> Sequence[Any]:
		"""A field's values in some rows; None where a row lacks it."""
		if self.columns is None:
			return [self.rows[place].get(name) for place in places]
		values = self.columns.get(name)
		if values is None:
			return [None] * len(places)
		return values if len(places) == len(values) else [values[place] for place in places]

	def list_kinds(self, name: str) -> set[type]:
		"""The types of the values of a column."""
		if name not in self._kinds:
			self._kinds[name] = set(map(type, (self.columns or {})[name]))
		return self._kinds[name]

	def measure(self, name: str) -> FloatArray:
		"""A column of numbers, NaN for None; `OverflowError` if one exceeds all floats."""
		if name not in self._arrays:
			self._arrays[name] = np.array((self.columns or {})[name], dtype="float64")
		return self._arrays[name]

	def make_series(self, name: str, places: Sequence[int]) -> pd.Series:
		"""A column of some rows as of a file: of numbers, of texts, or of both."""
		values = self.take(name, places)
		is_whole = self.columns is not None and len(places) == len(self.rows)
		kinds = self.list_kinds(name) if is_whole else set(map(type, values))
		if kinds <= _NUMBERS:
			return pd.Series(self.measure(name) if is_whole else np.array(values, dtype="float64"))
		if kinds <= _TEXTS:
			codes, texts = pd.factorize(np.array(values, dtype=object))
			return pd.Series(pd.Categorical.from_codes(codes, pd.Index(texts, dtype="str")))
		return pd.Series(list(values), dtype=object)
