"""Extraction to a snapshot: every row, one row in a hundred changed, nothing changed.

    python -m tools.benchmarks.bench_incremental --rows 400000 4000000

The table has 27 columns, of numbers and texts as loans and applications have them, and lies in an
embedded database that may use 64 MB. Each extraction runs in a process of its own; the clock runs
from the asking for the account to the published snapshot. Memory is that of the whole process.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import duckdb
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from loantap.databases.source_table import Account
from loantap.datasets import SnapshotDataset
from loantap.snapshots.extraction import Extraction
from tools.benchmarks.measured import Measured, run_measured

T = TypeVar("T")

_DATABASE = "warehouse.duckdb"
_NUMBERS = ", ".join(f"(hash(i * {n}) % 1000000) / 100.0 AS number_{n}" for n in range(11))
_LISTS = ", ".join(f"'category ' || hash(i * {n}) % 9 AS category_{n}" for n in range(20, 29))
_ROWS = f"""
CREATE TABLE loans AS
SELECT printf('%016x-1', hash(i)) AS loan_id, {_NUMBERS}, {_LISTS},
    'job title ' || hash(i * 31) % 50000 AS profession, 'title ' || i % 1000 AS title,
    hash(i * 37) % 100000 || ' Main Street Apt. ' || i % 500 || chr(13) || chr(10)
        || 'Town, OK ' || i % 90000 AS address,
    'simulated' AS origin,
    TIMESTAMP '2007-06-01' + INTERVAL (hash(i * 41) % 300000000) SECOND AS updated_at,
    NULL::DOUBLE AS empty
FROM range({{rows}}) t(i)
"""  # noqa: S608
_CHANGE = """
UPDATE loans SET number_1 = number_1 + 1, updated_at = TIMESTAMP '2017-03-01'
WHERE hash(loan_id) % 100 = 7
"""


class DuckSource:
    """The table, read as `SourceTable` reads one of the contract."""

    where, key, fingerprint = "warehouse, table loans", ("loan_id",), "1"
    is_embedded = True

    def __init__(self, folder: Path) -> None:
        config: dict[str, str | bool | int | float | list[str]] = {"memory_limit": "64MB"}
        self._connection = duckdb.connect(str(folder / _DATABASE), read_only=True, config=config)

    def account(self, since: datetime | None = None) -> Account:
        """See `SourceTable.account`."""
        found = self._connection.execute(
            "SELECT count(*), min(updated_at), max(updated_at), count(*) FILTER (updated_at >= ?) "
            "FROM loans",
            [since or date.min],
        ).fetchall()
        return Account(*found[0])

    def read(self, since: datetime | None = None) -> pa.RecordBatchReader:
        """See `SourceTable.read`."""
        asked = f"FROM loans WHERE updated_at >= '{since or date.min}'"
        return self._connection.cursor().sql(asked).to_arrow_reader(65_536)

    def in_time(self) -> AbstractContextManager[None]:
        """See `SourceTable.in_time`; a local file has no limit."""
        return nullcontext()

    def persist(self, attempt: Callable[[], T]) -> T:
        """See `SourceTable.persist`; a local file answers at the first attempt."""
        return attempt()


def main() -> None:
    """Make the tables, measure each extraction, print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[400_000])
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    if arguments.folder:
        seconds = extract(arguments.folder)
        (arguments.folder / "seconds.json").write_text(json.dumps(seconds))
        return
    table = Table(title="Extraction to a snapshot, 27 columns", title_justify="left")
    for column in ("rows", "", "seconds", "rows of the table a second", "peak memory, MiB"):
        table.add_column(column, justify="left" if not column else "right")
    for rows in arguments.rows:
        for name, measured in measure(rows).items():
            table.add_row(
                f"{rows:,}",
                name,
                f"{measured.seconds:.2f}",
                f"{rows / measured.seconds:,.0f}",
                f"{measured.peak_mib:,.0f}",
            )
    Console(width=100).print(table)


def measure(rows: int) -> dict[str, Measured]:
    """Time and memory of a full extraction, of one after changes, and of one after none."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run_sql(folder, _ROWS.format(rows=rows))
        found = {"every row": measure_one(folder)}
        run_sql(folder, _CHANGE)
        found["one in a hundred changed"] = measure_one(folder)
        found["nothing changed"] = measure_one(folder)
    return found


def run_sql(folder: Path, statement: str) -> None:
    """Make or change the table."""
    with duckdb.connect(str(folder / _DATABASE)) as connection:
        connection.execute(statement)


def measure_one(folder: Path) -> Measured:
    """One extraction in a fresh process."""
    process = run_measured(["-m", "tools.benchmarks.bench_incremental", "--folder", str(folder)])
    seconds = json.loads((folder / "seconds.json").read_text())
    return Measured(seconds, process.peak_mib, process.cpu_seconds)


def extract(folder: Path) -> float:
    """Seconds that an extraction takes."""
    snapshot = SnapshotDataset(filepath=str(folder / "loans"))
    source = DuckSource(folder)
    started = time.perf_counter()
    snapshot.save(Extraction(source, None, date(2026, 11, 23), timedelta(days=1)))
    snapshot.publish()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
