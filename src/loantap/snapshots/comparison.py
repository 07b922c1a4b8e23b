"""Which rows of a snapshot its source has replaced, and which rows came in their place."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from loantap.portfolio.dictionary import UPDATED_AT
from loantap.snapshots.parts import Mask, Part
from loantap.tables.database import connect

# For what exceeds the memory; gone when the comparison has ended.
SPILL = ".spill"
_ROWS = "read_parquet(?, file_row_number = true) AS held"
_IS_RECENT = f"(held.{UPDATED_AT.name} >= ? OR held.{UPDATED_AT.name} IS NULL)"
_IS_ALIVE = "file_row_number NOT IN (SELECT position FROM outdated)"


class Comparison:
  """What is not the same in a snapshot and in a delta of the same table.

  A delta holds every row of the table that is as recent as the `watermark` (UTC), or without a
  time of update. A recent row of the snapshot is outdated unless the delta holds it too (as
  often). An older one is outdated when the delta has a row of its key that the snapshot does not
  have. Rows without a whole `key` are compared as well, but take no older row's place.
  """

  def __init__(
    self,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    key: Sequence[str],
    columns: Sequence[str],
    watermark: datetime,
  ) -> None:
    self._connection = connection
    self._folder = folder
    self._key = [_quote(name) for name in key]
    # Rows are compared by 64 bits of their content, within a key.
    self._content = f"hash({', '.join(map(_quote, columns))})"
    self._watermark = watermark

  def find_changes(self, snapshot: Sequence[Part], outdated: Sequence[Mask], delta: Sequence[Part]) -> bool:
    """Whether the parts of snapshot and delta differ; to be asked before rows are marked.

    `outdated` are the snapshot's rows that do not count any more; the delta has a part at
    least.
    """
    key = ", ".join(self._key)
    self._connection.execute(
      f"CREATE TEMP TABLE contents AS "  # noqa: S608 (names of columns, quoted)
      f"SELECT {key}, {self._content} AS content, 1 AS one FROM {_ROWS}",
      [[self._path(part) for part in delta]],
    )
    for part, dead in zip(snapshot, outdated, strict=True):
      if part.may_hold_since(self._watermark):
        self._set_outdated(dead)
        self._connection.execute(
          f"INSERT INTO contents SELECT {key}, {self._content}, -1 "  # noqa: S608
          f"FROM {_ROWS} WHERE {_IS_RECENT} AND {_IS_ALIVE}",
          [self._path(part), self._watermark],
        )
    self._connection.execute(
      f"CREATE TEMP TABLE changed AS SELECT {key}, bool_or(excess > 0) AS is_new "  # noqa: S608
      f"FROM (SELECT {key}, content, sum(one) AS excess FROM contents GROUP BY ALL) "
      f"WHERE excess <> 0 GROUP BY ALL"
    )
    return self._connection.execute("FROM changed LIMIT 1").fetchall() != []

  def mark_outdated(self, part: Part, outdated: Mask) -> Mask:
    """Rows of a part of the snapshot that do not count, be it as before."""
    is_whole = " AND ".join(f"held.{name} IS NOT NULL" for name in self._key)
    condition = f"({_IS_RECENT} OR is_new AND {is_whole})"
    return outdated | self._mark(part, condition, [self._watermark])

  def mark_new(self, part: Part) -> Mask:
    """Rows of a part of the delta that come in the place of outdated ones, or none."""
    return self._mark(part, "true", [])

  def _mark(self, part: Part, condition: str, parameters: Sequence[datetime]) -> Mask:
    same = " AND ".join(f"held.{name} IS NOT DISTINCT FROM changed.{name}" for name in self._key)
    found = self._connection.execute(
      f"SELECT file_row_number AS position FROM {_ROWS} "  # noqa: S608 (as above)
      f"JOIN changed ON {same} WHERE {condition}",
      [self._path(part), *parameters],
    ).fetchnumpy()
    mask = np.zeros(part.file_rows, dtype="bool")
    mask[found["position"]] = True
    return mask

  def _set_outdated(self, outdated: Mask) -> None:
    self._connection.register("outdated", pa.table({"position": np.flatnonzero(outdated)}))

  def _path(self, part: Part) -> str:
    return str(self._folder / part.name)


@contextmanager
def comparing(folder: Path, key: Sequence[str], columns: Sequence[str], watermark: datetime) -> Iterator[Comparison]:
  """A comparison of parts in a folder, in bounded memory."""
  with connect(scratch=folder / SPILL) as connection:
    yield Comparison(connection, folder, key, columns, watermark)


def _quote(name: str) -> str:
  return '"' + name.replace('"', '""') + '"'
