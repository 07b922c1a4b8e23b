"""Tables of any number of rows in the order of a column, a group of rows at a time.

Rows of one value are never parted.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from loantap.tables.database import connect

# Rows of a group, more or less; a table with fewer is one group.
GROUP_ROWS = 65_536
PLACE = "__place"


def sort_rows(reader: pa.RecordBatchReader, by: str) -> pa.RecordBatchReader:
  """The rows in the order of a column, missing values last, equal ones as they came.

  What exceeds the memory is sorted on disk. A column `PLACE` says which row it was, from 0.
  """
  connection = connect()
  rows = pa.RecordBatchReader.from_batches(_placed(reader.schema), _number(reader))  # noqa: F841
  name = '"' + by.replace('"', '""') + '"'
  relation = connection.sql(f"FROM rows ORDER BY {name} NULLS LAST, {PLACE}")
  ordered = relation.to_arrow_reader(GROUP_ROWS)

  def batches() -> Iterator[pa.RecordBatch]:
    # The reader lives off the connection.
    with connection:
      yield from ordered

  return pa.RecordBatchReader.from_batches(ordered.schema, batches())


def _placed(schema: pa.Schema) -> pa.Schema:
  return pa.schema([*schema, pa.field(PLACE, pa.int64())])


def _number(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
  done = 0
  schema = _placed(reader.schema)
  for batch in reader:
    places = pa.array(np.arange(done, done + batch.num_rows))
    yield pa.RecordBatch.from_arrays([*batch.columns, places], schema=schema)
    done += batch.num_rows


def group_rows(batches: Iterable[pd.DataFrame], by: str, rows: int = GROUP_ROWS) -> Iterator[pd.DataFrame]:
  """Ordered rows in groups that do not part rows of one value; one empty group of no rows.

  Their index numbers the rows of the table, from 0. Raises ValueError when they have another order.
  """
  held: list[pd.DataFrame] = []
  first = 0
  for piece in _cut(batches, rows):
    held.append(piece)
    if sum(len(each) for each in held) < rows:
      continue
    joined = pd.concat(held, ignore_index=True)
    # They may go on in the next batch; those without a value are all alike.
    last = joined[by].iloc[-1]
    complete = len(joined) if pd.isna(last) else int(joined[by].ne(last).sum())
    if complete:
      yield _renumber(joined.head(complete), first, by)
    first += complete
    held = [joined.iloc[complete:]]
  if first == 0 or any(len(each) > 0 for each in held):
    yield _renumber(pd.concat(held, ignore_index=True), first, by)


def pair_groups(
  left: Iterable[pd.DataFrame], right: Iterable[pd.DataFrame], by: str
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
  """Groups of two ordered tables side by side: what has a value is in one pair on both sides.

  Both come from `group_rows`, ordered by `by`, without missing values.
  """
  one, other = _Side(left), _Side(right)
  is_first = True
  while one.fill() | other.fill() or is_first:
    # Up to the end of either group all rows are here.
    ends = [side.rows[by].iloc[-1] for side in (one, other) if len(side.rows)]
    end = min(ends, default=None)
    yield one.take(by, end), other.take(by, end)
    is_first = False


class _Side:
  def __init__(self, groups: Iterable[pd.DataFrame]) -> None:
    self._groups = iter(groups)
    self.rows = next(self._groups)

  def fill(self) -> bool:
    """Fetch the next group when none waits; whether any does."""
    while self.rows.empty:
      group = next(self._groups, None)
      if group is None:
        return False
      self.rows = group
    return True

  def take(self, by: str, end: str | None) -> pd.DataFrame:
    """Those up to a value; the others go on waiting."""
    count = 0 if end is None else int(self.rows[by].le(end).sum())
    taken, self.rows = self.rows.iloc[:count], self.rows.iloc[count:]
    return taken


def _cut(batches: Iterable[pd.DataFrame], rows: int) -> Iterator[pd.DataFrame]:
  for batch in batches:
    for start in range(0, max(len(batch), 1), rows):
      yield batch.iloc[start : start + rows]


def _renumber(rows: pd.DataFrame, first: int, by: str) -> pd.DataFrame:
  values = pa.array(rows[by], from_pandas=True).drop_null()
  if not pc.all(pc.less_equal(values[:-1], values[1:]), min_count=0).as_py():
    raise ValueError(f"rows are not in the order of {by}")
  return rows.set_axis(pd.RangeIndex(first, first + len(rows)))
