"""A table of a page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from loantap.reporting.formatting import NOTHING, is_missing


@dataclass(frozen=True, slots=True)
class PageTable:
  """A table as the page shows it; the first text of each row is its heading."""

  caption: str
  headers: Sequence[str]
  rows: Sequence[Sequence[str]]
  note: str = ""
  is_folded: bool = False


def with_interval(row: Mapping[str, Any], name: str, word: Callable[[float], str]) -> str:
  """A figure with its 95% interval, as `1.0 [0.5, 1.5]`; a dash when it is missing."""
  return tell_bounds(row[name], row[f"{name}_low"], row[f"{name}_high"], word)


def tell_bounds(value: float, low: float, high: float, word: Callable[[float], str]) -> str:
  """The same of three numbers."""
  if is_missing(value):
    return NOTHING
  if is_missing(low) or is_missing(high):
    return word(value)
  return f"{word(value)} [{word(low)}, {word(high)}]"


def pair(row: Mapping[str, Any], name: str, value: str) -> str:
  """Two texts of a row as `name: value`."""
  return f"{row[name]}: {row[value]}".replace("_", " ")


def list_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
  """The rows of a table, each by the names of its columns."""
  return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
