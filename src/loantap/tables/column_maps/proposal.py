"""A proposal of a column map: names are compared, values looked at, and what is in doubt is said."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Final

import pyarrow as pa
from yaml import safe_dump, safe_load

from loantap.tables.column_maps.column_map import COLUMNS_OF, is_needed, list_shipped_maps, read_column_map
from loantap.tables.column_maps.looks import Look, look_at
from loantap.tables.columns import Expected
from loantap.tables.files import open_rows
from loantap.tables.written_numbers import undo_dictionary

HEAD_ROWS: Final = 2_000
# A misspelt name is this much like the right one.
_LIKE: Final = 0.8
_UNSURE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Match:
  """Where one of LoanTap's columns may be: `column` of the file, "" where none was found."""

  ours: str
  column: str = ""
  look: Look = field(default_factory=Look)

  def to_yaml(self) -> Iterator[str]:
    """Its lines of the map; doubts, and a column that was not found, are comments."""
    yield from (f"  # {doubt}" for doubt in self.look.doubts)
    if not self.column:
      asked = " needed, as a column or {value: ...}" if is_needed(COLUMNS_OF[self.ours]) else ""
      yield f"  # {self.ours}:{asked}"
      return
    entry = {"column": self.column} | dict(self.look.says) if self.look.says else self.column
    # In a list, since a text that stands alone would be ended by a mark.
    written = safe_dump([entry], default_flow_style=True, width=1_000, allow_unicode=True).strip()
    yield f"  {self.ours}: {written.removeprefix('[').removesuffix(']')}"


@dataclass(frozen=True, slots=True)
class Proposal:
  """A map as proposed from the first `rows` rows of a file.

  Attributes:
      others: columns of the file that no match takes.
      notes: what was done to read the file.
      shipped: maps of the package that fit it.
  """

  matches: tuple[Match, ...]
  others: tuple[str, ...]
  notes: tuple[str, ...]
  rows: int
  shipped: tuple[str, ...]

  def to_yaml(self) -> str:
    """The whole map."""
    lines = ["# Proposed from the head of a file: look at what is in doubt before you use it.", "columns:"]
    return "\n".join([*lines, *(line for match in self.matches for line in match.to_yaml()), ""])


def propose_map(path: Path) -> Proposal:
  """Look at the head of a file, and say where LoanTap's columns may be.

  Raises:
      InputError: the file cannot be read.
  """
  # Names by which the header is found; they stay as the file writes them.
  every = dict.fromkeys(chain(*_read_names().values()), "")
  raw = open_rows(path, Expected(every, frozenset(), frozenset()))
  names = [name for name in raw.names if name]
  head = next(iter(raw.read(names, HEAD_ROWS)))
  taken: dict[str, tuple[str, int]] = {}
  for rank, ours, column in sorted(_rank(names)):
    if ours not in taken and column not in {name for name, _ in taken.values()}:
      taken[ours] = column, rank
  matches = []
  for ours in COLUMNS_OF:
    column, rank = taken.get(ours, ("", 0))
    look = look_at(COLUMNS_OF[ours], column, _list_texts(head[column])) if column else Look()
    if rank >= _UNSURE:
      look = replace(look, doubts=(*look.doubts, "the name is only like it"))
    if twins := [name for name in names if name != column and normalise(name) == normalise(column)]:
      look = replace(look, doubts=(*look.doubts, f"also like it: {', '.join(twins)}"))
    matches.append(Match(ours, column, look))
  used = {match.column for match in matches}
  others = tuple(name for name in names if name not in used)
  return Proposal(tuple(matches), others, tuple(raw.notes), len(head), tuple(_find_shipped(names)))


def _rank(names: Sequence[str]) -> Iterator[tuple[int, str, str]]:
  """Every column that may be one of LoanTap's, the likeliest with the lowest rank."""
  known = {normalise(name): name for name in sorted(names, key=len, reverse=True)}
  for ours, every in _read_names().items():
    yield from ((rank, ours, known[name]) for rank, name in enumerate(every) if name in known)
    for name in every:
      for like in get_close_matches(name, known, n=1, cutoff=_LIKE):
        yield _UNSURE, ours, known[like]


def normalise(name: str) -> str:
  """A name in small letters, its words joined by underscores, without what stands in brackets.

  >>> normalise(" Loan Amount (USD)")
  'loan_amount'
  """
  return re.sub(r"[^a-z0-9]+", "_", re.sub(r"\(.*?\)", "", name.lower())).strip("_")


@cache
def _read_names() -> Mapping[str, tuple[str, ...]]:
  """What LoanTap and other lenders call each column."""
  text = (files("loantap.tables.column_maps") / "synonyms.yml").read_text(encoding="utf-8")
  return {ours: (ours, *names) for ours, names in safe_load(text).items()}


def _list_texts(column: pa.ChunkedArray) -> list[str]:
  texts = undo_dictionary(column).cast(pa.large_string()).to_pylist()
  return [text for text in texts if text is not None and text.strip()]


def _find_shipped(names: Sequence[str]) -> Iterator[str]:
  for shipped in list_shipped_maps():
    sources = read_column_map(shipped).columns.values()
    if {name for source in sources if not source.optional for name in source.reads} <= set(names):
      yield shipped
