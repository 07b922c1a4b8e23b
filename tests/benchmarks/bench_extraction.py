"""Extraction over ODBC into a snapshot, against `pandas.read_sql` over pyodbc.

    python -m tests.benchmarks.bench_extraction --rows 4000000

The source is a PostgreSQL server of our own: simulated loans with the 27 columns of a LoanTap CSV
and the three that every source table has, the same ones again and again beyond 400,000. Each side
runs in a process of its own. The clock runs from the connection to the last row: of pandas in a
frame; of the extraction in a published snapshot, counted at the source before and after. Imports
are outside of the clock. Memory is that of the whole process; both sides import the same.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyodbc
from rich.console import Console
from rich.table import Table as Printed

from loantap.datasets import SnapshotDataset
from loantap.datasets.backends.waiting import Patience
from loantap.datasets.snapshots.extraction import Extraction
from loantap.datasets.source_table import SourceTable
from loantap.portfolio.dictionary import Table, portfolio_columns
from loantap.portfolio.loantap_format import render
from loantap.simulator.portfolio import simulate_portfolio
from tests.benchmarks.measured import Measured, run_measured
from tests.support.postgres import Postgres, missing

_SIMULATED = 400_000
_EVERYTHING = "SELECT * FROM loans"
# What a process is told, beside the environment that a user has as well.
_CONNECTION = "LOANTAP_WAREHOUSE"


def main() -> None:
    """Load the server, measure both sides, print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=_SIMULATED)
    parser.add_argument("--sides", nargs="+", choices=list(SIDES), default=list(SIDES))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", choices=list(SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        started = time.perf_counter()
        rows = SIDES[arguments.side](os.environ[_CONNECTION], arguments.folder)
        told = {"seconds": time.perf_counter() - started, "rows": rows}
        (arguments.folder / f"{arguments.side}.json").write_text(json.dumps(told))
        return
    if (absent := missing()) is not None:
        raise SystemExit(f"not all is there: {absent}")
    with Postgres() as server, tempfile.TemporaryDirectory() as folder:
        load_loans(server, arguments.rows)
        os.environ[_CONNECTION] = server.connection
        sides = {
            name: measure(name, Path(folder), arguments.rows, arguments.repeats)
            for name in arguments.sides
        }
    Console(width=100).print(compare(arguments.rows, sides))


def load_loans(server: Postgres, rows: int) -> None:
    """Make the table; what exceeds the simulated loans is copied within the server."""
    simulated = simulate_portfolio(min(rows, _SIMULATED), seed=42).portfolio
    loans = render(simulated, portfolio_columns()).assign(
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


def measure(side: str, folder: Path, rows: int, repeats: int) -> Measured:
    """The fastest of some runs, each in a fresh process, and the largest memory of them."""
    seconds, peaks = [], []
    for _ in range(repeats):
        arguments = ["--side", side, "--folder", str(folder)]
        process = run_measured(["-m", "tests.benchmarks.bench_extraction", *arguments])
        told = json.loads((folder / f"{side}.json").read_text())
        if told["rows"] != rows:
            raise SystemExit(f"{side} read {told['rows']:,} rows of {rows:,}")
        seconds.append(told["seconds"])
        peaks.append(process.peak_mib)
    return Measured(min(seconds), max(peaks))


def read_sql(connection: str, folder: Path) -> int:
    """The table as a frame, by pyodbc and pandas."""
    with pyodbc.connect(connection) as connected:
        return len(pd.read_sql(_EVERYTHING, connected))


def take_snapshot(connection: str, folder: Path) -> int:
    """The table as a new snapshot."""
    with tempfile.TemporaryDirectory(dir=folder) as raw:
        return sum(part["rows"] for part in _extract(connection, Path(raw))["parts"])


def load_snapshot(connection: str, folder: Path) -> int:
    """The table as a frame, by way of a new snapshot."""
    with tempfile.TemporaryDirectory(dir=folder) as raw:
        _extract(connection, Path(raw))
        return len(SnapshotDataset(filepath=raw).load())


def _extract(connection: str, raw: Path) -> dict[str, list[dict[str, int]]]:
    """Bring an empty snapshot up to date, as the run does; its manifest."""
    source = SourceTable(
        "warehouse", Table.LOANS, _EVERYTHING, {"connection": connection}, Patience()
    )
    snapshot = SnapshotDataset(filepath=str(raw))
    snapshot.save(Extraction(source, "all", date(2026, 11, 23), timedelta(days=1)))
    snapshot.publish()
    manifest: dict[str, list[dict[str, int]]] = json.loads((raw / "manifest.json").read_text())
    return manifest


def compare(rows: int, sides: dict[str, Measured]) -> Printed:
    """The table that is printed; ratios are to the first side."""
    table = Printed(title=f"{rows:,} simulated loans over ODBC", title_justify="left")
    for column in ("", "seconds", "ratio", "rows a second", "peak memory, MiB", "ratio "):
        table.add_column(column, justify="left" if not column else "right")
    first = next(iter(sides.values()))
    for name, side in sides.items():
        table.add_row(
            name,
            f"{side.seconds:.2f}",
            f"{side.seconds / first.seconds:.2f}",
            f"{rows / side.seconds:,.0f}",
            f"{side.peak_mib:,.0f}",
            f"{side.peak_mib / first.peak_mib:.2f}",
        )
    return table


SIDES = {"pyodbc, read_sql": read_sql, "snapshot": take_snapshot, "snapshot, load": load_snapshot}

if __name__ == "__main__":
    main()
