"""Extraction over ODBC into a snapshot, against `pandas.read_sql` over pyodbc.

	python -m tools.benchmarks.bench_extraction --rows 4000000

The source is a PostgreSQL server of our own with simulated loans, the same ones again and again
beyond 400,000. Each side runs in a process of its own. The clock runs from the connection to the
last row, of the extraction to the published snapshot, imports apart. Memory is that of the whole
process.
"""

import argparse
import json
import os
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median

import pandas as pd
import pyarrow as pa
import pyodbc

from loantap.databases.backends.waiting import Patience
from loantap.databases.source_table import SourceTable
from loantap.datasets import SnapshotDataset
from loantap.portfolio.dictionary import Table
from loantap.snapshots.extraction import Extraction
from tools.benchmarks.configured import simulate_loans
from tools.benchmarks.measured import measure_apart, print_table
from tools.sources.postgres import Postgres, missing

_SIMULATED = 400_000
_EVERYTHING = "SELECT * FROM loans"
_CONNECTION = "LOANTAP_WAREHOUSE"


def main() -> None:
	"""Load the server, measure both sides, print the comparison."""
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("--rows", type=int, default=_SIMULATED)
	parser.add_argument("--sides", nargs="+", choices=list(SIDES), default=list(SIDES))
	parser.add_argument("--repeats", type=int, default=5, help="runs of each side")
	arguments = parser.parse_args()
	if (absent := missing()) is not None:
		raise SystemExit(f"not all is there: {absent}")
	with Postgres() as server:
		load_loans(server, arguments.rows)
		os.environ[_CONNECTION] = server.connection
		# In turns: each ratio is of runs on an equally busy machine.
		rounds = [{name: measure(name, arguments.rows) for name in arguments.sides} for _ in range(arguments.repeats)]
	compare(arguments.rows, rounds)


def load_loans(server: Postgres, rows: int) -> None:
	"""Make the table; what exceeds the simulated loans is copied within the server."""
	simulated = simulate_loans(min(rows, _SIMULATED), seed=42)
	loans = simulated.assign(
		loan_id=[f"{number:012d}" for number in range(len(simulated))],
		updated_at=datetime(2026, 11, 23),  # noqa: DTZ001 (UTC without a zone)
		origin="simulated",
	)
	server.load("loans", pa.Table.from_pandas(loans, preserve_index=False))
	names = [name for name in loans.columns if name != "loan_id"]
	columns = ", ".join(names)
	for copy in range(1, rows // len(loans)):
		server.run_sql(
			f"INSERT INTO loans (loan_id, {columns}) SELECT '{copy}-' || loan_id, {columns} "  # noqa: S608
			f"FROM loans LIMIT {len(loans)}"
		)


def measure(side: str, rows: int) -> tuple[float, float]:
	"""One run in a fresh process: seconds of the reading, MiB of the process."""
	(seconds, read), usage = measure_apart(SIDES[side])
	if read != rows:
		raise SystemExit(f"{side} read {read:,} rows of {rows:,}")
	return seconds, usage.peak_mib


def read_sql() -> tuple[float, int]:
	"""The table as a frame, by pyodbc and pandas."""
	started = time.perf_counter()
	with pyodbc.connect(os.environ[_CONNECTION]) as connected:
		rows = len(pd.read_sql(_EVERYTHING, connected))
	return time.perf_counter() - started, rows


def take_snapshot() -> tuple[float, int]:
	"""The table as a new snapshot, as the run makes it."""
	with tempfile.TemporaryDirectory() as raw:
		started = time.perf_counter()
		connection = {"connection": os.environ[_CONNECTION]}
		source = SourceTable("warehouse", Table.LOANS, _EVERYTHING, connection, Patience())
		snapshot = SnapshotDataset(filepath=raw)
		snapshot.save(Extraction(source, "all", date(2026, 11, 23), timedelta(days=1)))
		snapshot.publish()
		manifest = json.loads((Path(raw) / "manifest.json").read_text())
		rows = sum(part["rows"] for part in manifest["parts"])
		return time.perf_counter() - started, rows


def compare(rows: int, rounds: list[dict[str, tuple[float, float]]]) -> None:
	"""Medians, and their ratios to the first side within each round, with the range."""
	first, table = next(iter(rounds[0])), []
	for name in rounds[0]:
		figures = []
		for part, digits in ((0, 2), (1, 0)):
			ratios = sorted(each[name][part] / each[first][part] for each in rounds)
			told = f"{median(each[name][part] for each in rounds):,.{digits}f}"
			figures += [told, f"{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"]
		table.append((name, *figures))
	headings = ("", "seconds", "ratio", "peak memory, MiB", "ratio ")
	title = f"{rows:,} simulated loans over ODBC, medians of {len(rounds)} runs each"
	print_table(title, headings, table)


SIDES = {"pyodbc, read_sql": read_sql, "snapshot": take_snapshot}

if __name__ == "__main__":
	main()
