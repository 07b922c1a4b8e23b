"""Cleaning and assembly of tables of any number of rows: a group of loans at a time.

No row depends on another loan's, so the functions of whole tables are applied to groups in the
order of `loan_id`; what is asked of a whole table is counted meanwhile and asked at the end.
"""

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa

from loantap.portfolio.assembly import Portfolio, build_loan_months, join_portfolio, origin_of_rows, require_common_ids
from loantap.portfolio.cleaning import Cleaned, clean_source_table
from loantap.portfolio.dictionary import LOAN_ID, ORIGIN, Table
from loantap.portfolio.identity import read_ids, unify_uuids
from loantap.portfolio.statuses import Statuses
from loantap.portfolio.units import UnitCounts
from loantap.tables.ordered import GROUP_ROWS, PLACE, group_rows, pair_groups, sort_rows
from loantap.tables.rows import LongTable, read_batches

SomeTable = pd.DataFrame | LongTable
_ID = LOAN_ID.name
_PARTNER = (_ID, "issue_month")


def clean_in_groups(
  raw: SomeTable, table: Table, as_of: pd.Timestamp, statuses: Statuses | None = None, rows: int = GROUP_ROWS
) -> Iterator[Cleaned]:
  """`clean_source_table` in the order of `loan_id`; at least one group, of about `rows`.

  Raises:
      InputError: a column is missing, or nobody has said what a status means.
  """
  reader = _scan(raw)
  if _ID not in reader.schema.names:
    clean_source_table(reader.schema.empty_table().to_pandas(), table, as_of)
  ordered = sort_rows(_read_identifiers(reader), _ID)
  for group in group_rows(_frames(ordered), _ID, rows):
    cleaned = clean_source_table(group.drop(columns=PLACE), table, as_of, statuses)
    numbers = group[PLACE].to_numpy()[cleaned.quarantine["row"].to_numpy() - 1] + 1
    yield Cleaned(cleaned.rows, cleaned.quarantine.assign(row=numbers))


def join_in_groups(loans: SomeTable, applications: SomeTable, rows: int = GROUP_ROWS) -> Iterator[Portfolio]:
  """`join_portfolio` of two tables that were cleaned in groups.

  Raises:
      InputError: no loan has an application, or a column is in another unit throughout.
  """
  units, joined = UnitCounts(), 0
  pairs = pair_groups(
    group_rows(read_batches(loans), _ID, rows), group_rows(read_batches(applications), _ID, rows), _ID
  )
  for some_loans, some_applications in pairs:
    portfolio = join_portfolio(some_loans, some_applications)
    for part in (portfolio.loans, portfolio.running_loans):
      units.add_frame(part)
      joined += len(part)
    yield portfolio
  if not joined:
    require_common_ids(_read_ids(loans), _read_ids(applications))
  units.require_known_units("source tables")


def build_months_in_groups(events: SomeTable, loans: pd.DataFrame, rows: int = GROUP_ROWS) -> Iterator[Cleaned]:
  """`build_loan_months` of events that were cleaned in groups, about `rows` in each.

  `loans`: `loan_id` and `issue_month` of resolved and running loans, in any order.

  Raises:
      InputError: a column is in another unit throughout.
  """
  units = UnitCounts()
  pairs = pair_groups(
    group_rows(read_batches(events), _ID, rows),
    group_rows(iter([loans[[*_PARTNER]].sort_values(_ID, ignore_index=True)]), _ID, rows),
    _ID,
  )
  for some_events, some_loans in pairs:
    units.add_frame(some_events)
    yield build_loan_months(some_events, some_loans)
  units.require_known_units(f"source table {Table.LOAN_EVENTS}")


def origin_of_table(raw: SomeTable) -> str:
  """`origin_of_rows` a table as extracted."""
  found = [rows.drop_duplicates() for rows in read_batches(raw, [ORIGIN.name])]
  return origin_of_rows(pd.concat(found))


def count_months(loan_months: SomeTable, loan_ids: pd.Series) -> int:
  """How many rows of a table are about these loans."""
  if loan_ids.empty:
    return 0
  # `isin` would hash half a million identifiers for each batch.
  known, counted = pd.Index(loan_ids.astype(object)), 0
  for rows in read_batches(loan_months, [_ID]):
    of_loan = rows[_ID].value_counts(sort=False)
    is_known = known.get_indexer(of_loan.index.astype(object)) >= 0
    counted += int(of_loan.to_numpy()[is_known].sum())
  return counted


def _read_ids(table: SomeTable) -> pd.DataFrame:
  return pd.concat(read_batches(table, [_ID]), ignore_index=True)


def _frames(reader: pa.RecordBatchReader) -> Iterator[pd.DataFrame]:
  """As the source has them; first one without rows, for the columns."""
  yield reader.schema.empty_table().to_pandas()
  for batch in reader:
    yield batch.to_pandas()


def _scan(table: SomeTable) -> pa.RecordBatchReader:
  if isinstance(table, pd.DataFrame):
    return pa.Table.from_pandas(table, preserve_index=False).to_reader()
  return table.scan()


def _read_identifiers(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
  """The same rows, their `loan_id` as it is compared: cleaning leaves it so."""
  place = reader.schema.get_field_index(_ID)
  schema = reader.schema.set(place, pa.field(_ID, pa.large_string()))

  def batches() -> Iterator[pa.RecordBatch]:
    for batch in reader:
      ids = unify_uuids(read_ids(batch.column(place).to_pandas().rename(_ID)))
      columns = [*batch.columns]
      columns[place] = pa.array(ids, pa.large_string(), from_pandas=True)
      yield pa.RecordBatch.from_arrays(columns, schema=schema)

  return pa.RecordBatchReader.from_batches(schema, batches())
