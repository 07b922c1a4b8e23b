"""Extraction over ODBC into a snapshot, against `pandas.read_sql` over pyodbc.

    python -m tools.benchmarks.bench_extraction --rows 4000000

The source is a PostgreSQL server of our own: simulated loans with the 27 columns of a LoanTap CSV
and the three that every source table has, the same ones again and again beyond 400,000. Each side
runs in a process of its own. The clock runs from the connection to the last row: of pandas in a
frame; of the extraction in a published snapshot, counted at the source before it is read. Imports
are outside of the clock. Memory is that of the whole process; both sides import the same.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median

import pandas as pd
import pyarrow as pa
import pyodbc
from rich.console import Console
from rich.table import Table as Printed

from loantap.databases.backends.waiting import Patience
from loantap.databases.source_table import SourceTable
from loantap.datasets import SnapshotDataset
from loantap.portfolio.dictionary import Table, portfolio_columns
from loantap.portfolio.loantap_format import render
from loantap.simulator.portfolio import simulate_portfolio
from loantap.snapshots.extraction import Extraction
from tools.benchmarks.measured import Measured, run_measured
from tools.sources.postgres import Postgres, missing

_SIMULATED = 400_000
_EVERYTHING = "SELECT * FROM loans"
# What a process is told, beside the environment that a user has as well.
_CONNECTION = "LOANTAP_WAREHOUSE"


def main() -> None:
    """Load the server, measure both sides, print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=_SIMULATED)
    parser.add_argument("--sides", nargs="+", choices=list(SIDES), default=list(SIDES))
    parser.add_argument("--repeats", type=int, default=5, help="runs of each side")
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
        # In turns, so that each ratio is of two runs that the machine was equally busy in.
        rounds = [
            {name: measure(name, Path(folder), arguments.rows) for name in arguments.sides}
            for _ in range(arguments.repeats)
        ]
    Console(width=120).print(compare(arguments.rows, rounds))


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


def measure(side: str, folder: Path, rows: int) -> Measured:
    """One run in a fresh process: seconds of the reading, memory of the process."""
    arguments = ["--side", side, "--folder", str(folder)]
    process = run_measured(["-m", "tools.benchmarks.bench_extraction", *arguments])
    told = json.loads((folder / f"{side}.json").read_text())
    if told["rows"] != rows:
        raise SystemExit(f"{side} read {told['rows']:,} rows of {rows:,}")
    return Measured(told["seconds"], process.peak_mib, process.cpu_seconds)


def read_sql(connection: str, _folder: Path) -> int:
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


def compare(rows: int, rounds: list[dict[str, Measured]]) -> Printed:
    """The table that is printed; ratios are to the first side, within each round."""
    table = Printed(title=f"{rows:,} simulated loans over ODBC", title_justify="left",
                    caption=f"Medians of {len(rounds)} runs each, in turns; range of the ratios",
                    caption_justify="left")  # fmt: skip
    for column in ("", "seconds", "ratio", "rows a second", "peak memory, MiB", "ratio "):
        table.add_column(column, justify="left" if not column else "right")
    first = next(iter(rounds[0]))
    for name in rounds[0]:
        seconds = [each[name].seconds for each in rounds]
        peaks = [each[name].peak_mib for each in rounds]
        table.add_row(
            name,
            f"{median(seconds):.2f}",
            _tell(each[name].seconds / each[first].seconds for each in rounds),
            f"{rows / median(seconds):,.0f}",
            f"{median(peaks):,.0f}",
            _tell(each[name].peak_mib / each[first].peak_mib for each in rounds),
        )
    return table


def _tell(ratios: Iterable[float]) -> str:
    found = sorted(ratios)
    return f"{median(found):.2f} ({found[0]:.2f} to {found[-1]:.2f})"


SIDES = {"pyodbc, read_sql": read_sql, "snapshot": take_snapshot, "snapshot, load": load_snapshot}

if __name__ == "__main__":
    main()
