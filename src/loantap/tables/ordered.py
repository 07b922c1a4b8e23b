"""Tables of any number of rows, a group of loans at a time, in the order of `loan_id`.

Rows of one value are never parted. No row depends on another loan's, so groups go through the functions of whole
tables; what is asked of a whole table is counted meanwhile.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from loantap.portfolio.assembly import Portfolio, build_loan_months, join_portfolio, origin_of_rows, require_common_ids
from loantap.portfolio.cleaning import Cleaned, clean_source_table
from loantap.portfolio.dictionary import LOAN_ID, ORIGIN, Table
from loantap.portfolio.identity import read_ids, unify_uuids
from loantap.portfolio.statuses import Statuses
from loantap.portfolio.units import UnitCounts
from loantap.tables.database import connect
from loantap.tables.rows import LongTable, read_batches

# Rows of a group, more or less; a table with fewer is one group.
GROUP_ROWS = 65_536
PLACE = "__place"
SomeTable = pd.DataFrame | LongTable
_ID = LOAN_ID.name
_PARTNER = (_ID, "issue_month")


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

	Their index numbers the table's rows from 0. Raises ValueError for another order.
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


def clean_in_groups(
	raw: SomeTable, table: Table, as_of: pd.Timestamp, statuses: Statuses | None = None, rows: int = GROUP_ROWS
) -> Iterator[Cleaned]:
	"""`clean_source_table`, which raises, in the order of `loan_id`; at least one group, of about `rows`."""
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
