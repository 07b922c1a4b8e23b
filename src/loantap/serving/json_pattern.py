"""JSON of one form for many rows, filled in where they differ."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic_core import to_json

from loantap.portfolio.arrays import FloatArray

Blank = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Pattern:
  """JSON with blanks: text for the operator %, and names in order."""

  text: str
  names: tuple[str, ...]

  def fill(self, columns: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The text of each row, from columns of JSON per blank."""
    return map(self.text.__mod__, zip(*(columns[name] for name in self.names), strict=True))


def make_pattern(make: Callable[[Blank], object]) -> Pattern:
  """What `make` returns, as `to_json` writes it, with blanks where it calls its argument."""
  # Nobody can guess it and send it as text.
  mark = os.urandom(12).hex()
  text = to_json(make(lambda name: f"{mark}:{name}")).decode()
  parts = re.split(f'"{mark}:(.*?)"', text)
  return Pattern("%s".join(part.replace("%", "%%") for part in parts[::2]), tuple(parts[1::2]))


def fill_by(patterns: Mapping[str, Pattern], choice: Iterable[str], columns: Mapping[str, Sequence[str]]) -> list[str]:
  """Each row's text by the pattern that it chooses; all have the same blanks."""
  names = next(iter(patterns.values())).names
  if any(pattern.names != names for pattern in patterns.values()):
    raise ValueError("the patterns have different blanks")
  texts = {name: pattern.text for name, pattern in patterns.items()}
  rows = zip(*(columns[name] for name in names), strict=True)
  return [texts[name] % row for name, row in zip(choice, rows, strict=True)]


def write_numbers(values: FloatArray) -> list[str]:
  """JSON of each number, null for NaN; `ValueError` if one is infinite."""
  if np.isinf(values).any():
    raise ValueError("a number is infinite")
  text = to_json(values.tolist(), inf_nan_mode="null")
  return text[1:-1].decode().split(",") if len(values) else []


def write_texts(values: Sequence[str | None]) -> list[str]:
  """JSON of each text; null for None."""
  if any(value is None for value in values):
    return [to_json(value).decode() for value in values]
  # Together unless a text has the separator.
  together = to_json(values).decode()[2:-2].split('","')
  if len(together) != len(values):
    return [to_json(value).decode() for value in values]
  return [f'"{text}"' for text in together]
