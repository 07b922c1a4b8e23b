"""Writing a table to PostgreSQL over ODBC, against `DataFrame.to_sql` with its defaults.

	python -m tools.benchmarks.bench_write_back --rows 400000

Each side writes the same frame of simulated loans, 27 columns, in a process of its own. Ours is
all that a run does, staging included; again with nothing to change; and with one row in a hundred
changed. `to_sql` makes a new table through pyodbc, without and with its bulk option, arrow-odbc
fills an empty one. The clock runs from the frame to the committed rows; memory is that of the
whole process, whose first line is the frame and the imports.
"""

import os
import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlalchemy import create_engine, event
from sqlalchemy.connectors.pyodbc import PyODBCConnector
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGDialect

from loantap.datasets.target_table import TargetTableDataset
from loantap.simulator.portfolio import simulate_portfolio
from tools.benchmarks.measured import measure_apart, print_table, read_number, time_call
from tools.sources.postgres import Postgres, missing

_BASELINE, _CHANGED = "to_sql", "again, 1% changed"
_CONNECTION = "LOANTAP_WAREHOUSE"


class OdbcPostgres(PyODBCConnector, PGDialect):
	"""PostgreSQL by pyodbc, which SQLAlchemy does not offer; what `to_sql` needs of it."""

	driver = "pyodbc"
	supports_statement_cache = True
	default_paramstyle = "qmark"
	use_insertmanyvalues = False


registry.register("postgresql.pyodbc", __name__, "OdbcPostgres")


def main() -> None:
	"""Start the server, measure every side, print the comparison."""
	rows, found = read_number(__doc__, "--rows", 400_000), {}
	if reason := missing():
		raise SystemExit(f"PostgreSQL is not all there: {reason}")
	with tempfile.TemporaryDirectory() as folder, Postgres() as server:
		os.environ[_CONNECTION] = server.owner_connection
		make_loans(rows).to_parquet(f"{folder}/loans.parquet")
		for name in SIDES:
			found[name] = measure_apart(time_side, folder, name)
	slowest = found[_BASELINE][0]
	table = [
		(name, f"{seconds:.1f}", f"{usage.peak_mib:,.0f}", f"{slowest / seconds:.1f}" if seconds else "")
		for name, (seconds, usage) in found.items()
	]
	headings = ("", "seconds", "peak memory, MiB", "times faster than to_sql")
	print_table(f"Writing {rows:,} loans of 27 columns over ODBC", headings, table)


def make_loans(rows: int) -> pd.DataFrame:
	"""Simulated loans: 26 columns and an identifier."""
	loans = simulate_portfolio(rows, seed=42).portfolio.drop(columns="address")
	loans.insert(0, "loan_id", [f"{number:016x}" for number in range(rows)])
	return loans


def time_side(folder: str, name: str) -> float:
	"""Seconds from the frame to the committed rows."""
	loans = pd.read_parquet(f"{folder}/loans.parquet")
	if name == _CHANGED:
		is_kept = loans.index % 100 > 0
		loans = loans.assign(instalment=loans["instalment"].where(is_kept, 1.0))
	return time_call(lambda: SIDES[name](loans, os.environ[_CONNECTION]))


def _write(loans: pd.DataFrame, connection: str) -> None:
	table = TargetTableDataset(
		system="warehouse", table="portfolio", key=["loan_id"], mode="replace", credentials={"connection": connection}
	)
	table.save(loans)
	table.publish()


def _to_sql(loans: pd.DataFrame, connection: str, *, fast: bool = False) -> None:
	import pyodbc

	engine = create_engine("postgresql+pyodbc://", creator=lambda: pyodbc.connect(connection))

	@event.listens_for(engine, "before_cursor_execute")
	def choose(_connection: Any, cursor: Any, *_: Any) -> None:
		cursor.fast_executemany = fast

	# At once the bulk option would need too much memory.
	chunk = 1_000 if fast else None
	loans.to_sql(f"by_pandas_{fast}", engine, index=False, chunksize=chunk)
	engine.dispose()


def _insert_by_arrow(loans: pd.DataFrame, connection: str) -> None:
	import arrow_odbc
	import pyodbc

	from loantap.databases.merge import create_statement

	rows = pa.Table.from_pandas(loans, preserve_index=False)
	with pyodbc.connect(connection) as empty:
		empty.execute(create_statement("by_arrow", rows.schema))
	arrow_odbc.insert_into_table(rows.to_reader(65_536), 1_000, "by_arrow", connection)


SIDES: dict[str, Callable[[pd.DataFrame, str], None]] = {
	"frame and imports": lambda *_: None,
	"TargetTableDataset": _write,
	"again, nothing changed": _write,
	_CHANGED: _write,
	"arrow-odbc": _insert_by_arrow,
	"to_sql, fast_executemany": partial(_to_sql, fast=True),
	_BASELINE: _to_sql,
}

if __name__ == "__main__":
	main()
