"""The rows that the three source systems are loaded with: those the embedded ones would hold."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa

from loantap.pipelines.sources.nodes import make_portfolio, simulate_loan_events, split_by_system
from loantap.portfolio.dictionary import Table
from loantap.portfolio.options import SourcesOptions
from loantap.tables.files import TableFile


def make_tables(loans: int, seed: int, as_of: date, portfolio: Path | None = None) -> dict[Table, pa.Table]:
	"""The tables of the sources, by the functions that fill the embedded databases.

	`loans` is the size of the demo portfolio where no CSV file is given; `as_of` its snapshot, and
	the day of the last change of rows.

	Raises:
		InputError: the file cannot be used.
	"""
	options = SourcesOptions(loans=loans, seed=seed, as_of=as_of, tolerated_bad_share=0)
	given = TableFile(portfolio) if portfolio else None
	made = list(make_portfolio(given, options))
	rows = _join(batch for batch, _, _ in made)
	truth = _join(batch for _, _, batch in made)
	warehouse, appstream = split_by_system(rows, options)
	events = simulate_loan_events(rows, truth, options)
	tables = {Table.LOANS: warehouse, Table.APPLICATIONS: appstream, Table.LOAN_EVENTS: events}
	return {table: _to_arrow(_join(frames)) for table, frames in tables.items()}


def _join(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
	return pd.concat(list(frames), ignore_index=True)


def _to_arrow(frame: pd.DataFrame) -> pa.Table:
	"""Only types that every system has."""
	table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
	fields = [field.with_type(_widen(field.type)) for field in table.schema]
	return table.cast(pa.schema(fields))


def _widen(kind: pa.DataType) -> pa.DataType:
	if pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
		return pa.string()
	if pa.types.is_timestamp(kind):
		return pa.timestamp("us")
	if pa.types.is_integer(kind):
		return pa.int64()
	return kind
