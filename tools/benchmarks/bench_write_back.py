"""Writing a table to PostgreSQL over ODBC, against `DataFrame.to_sql` with its defaults.

    python -m tools.benchmarks.bench_write_back --rows 400000

A server is started from packages for it, on the loopback interface. Each side writes the same frame
of simulated loans, 27 columns, in a process of its own. Ours is all that a run does: staging, the
transaction that brings the rows over, removing the staging table; a second time, when there is
nothing to change; and a third time, when one row in a hundred differs. `to_sql` makes a new table
through the same driver and pyodbc, without and with its bulk option, arrow-odbc fills an empty one.
The clock runs from the frame to the committed rows, and memory is that of the whole process, of
which the first line is what the frame and the imports take. --quick leaves the slow sides out.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, event
from sqlalchemy.connectors.pyodbc import PyODBCConnector
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGDialect

from loantap.datasets.target_table import TargetTableDataset
from loantap.simulator.portfolio import simulate_portfolio
from tools.benchmarks.measured import Measured, run_measured
from tools.sources.postgres import Postgres, missing

_BASELINE = "to_sql"


class OdbcPostgres(PyODBCConnector, PGDialect):
    """PostgreSQL by pyodbc, which SQLAlchemy does not offer; what `to_sql` needs of it."""

    driver = "pyodbc"
    supports_statement_cache = True
    default_paramstyle = "qmark"
    use_insertmanyvalues = False


registry.register("postgresql.pyodbc", __name__, "OdbcPostgres")


def main() -> None:
    """Start the server, measure every side, print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--quick", action="store_true", help="without the slow sides")
    parser.add_argument("--side", choices=list(SIDES))
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    if arguments.side:
        seconds = SIDES[arguments.side](arguments.folder)
        (arguments.folder / "seconds.json").write_text(json.dumps(seconds))
        return
    if reason := missing():
        raise SystemExit(f"PostgreSQL is not all there: {reason}")
    with tempfile.TemporaryDirectory() as folder, Postgres() as server:
        connection = Path(folder) / "connection"
        connection.touch(0o600)
        connection.write_text(server.owner_connection)
        make_loans(arguments.rows).to_parquet(Path(folder) / "loans.parquet")
        names = [name for name in SIDES if not arguments.quick or name not in SLOW]
        sides = {name: measure(name, Path(folder)) for name in names}
    Console(width=100).print(compare(arguments.rows, sides))


def make_loans(rows: int) -> pd.DataFrame:
    """Simulated loans: 26 columns and an identifier."""
    loans = simulate_portfolio(rows, seed=42).portfolio.drop(columns="address")
    loans.insert(0, "loan_id", [f"{number:016x}" for number in range(rows)])
    return loans


def measure(side: str, folder: Path) -> Measured:
    """Seconds of the writing, and the memory of the process."""
    arguments = ["-m", "tools.benchmarks.bench_write_back", "--side", side, "--folder", str(folder)]
    process = run_measured(arguments)
    seconds = json.loads((folder / "seconds.json").read_text())
    return Measured(seconds, process.peak_mib, process.cpu_seconds)


def load_only(folder: Path) -> float:
    """What every side does before its clock runs, and nothing else."""
    pd.read_parquet(folder / "loans.parquet")
    return 0.0


def write(folder: Path) -> float:
    """Seconds that our dataset takes, publication included."""
    return _time(folder, _write)


def write_changed(folder: Path) -> float:
    """The same when one row in a hundred has another value than in the table."""
    return _time(folder, _write, changed=True)


def to_sql(folder: Path) -> float:
    """Seconds that pandas takes with its defaults."""
    return _time(folder, lambda loans, text: _to_sql(loans, text, fast=False))


def to_sql_fast(folder: Path) -> float:
    """Seconds that pandas takes with pyodbc's `fast_executemany`."""
    return _time(folder, lambda loans, text: _to_sql(loans, text, fast=True))


def insert_by_arrow(folder: Path) -> float:
    """Seconds that arrow-odbc takes to fill an empty table."""
    return _time(folder, _insert_by_arrow)


def _time(
    folder: Path, write_rows: Callable[[pd.DataFrame, str], None], *, changed: bool = False
) -> float:
    loans = pd.read_parquet(folder / "loans.parquet")
    if changed:
        is_kept = loans.index % 100 > 0
        loans = loans.assign(instalment=loans["instalment"].where(is_kept, 1.0))
    connection = (folder / "connection").read_text()
    started = time.perf_counter()
    write_rows(loans, connection)
    return time.perf_counter() - started


def _write(loans: pd.DataFrame, connection: str) -> None:
    table = TargetTableDataset(
        system="warehouse",
        table="portfolio",
        key=["loan_id"],
        mode="replace",
        credentials={"connection": connection},
    )
    table.save(loans)
    table.publish()


def _to_sql(loans: pd.DataFrame, connection: str, *, fast: bool) -> None:
    import pyodbc

    engine = create_engine("postgresql+pyodbc://", creator=lambda: pyodbc.connect(connection))

    @event.listens_for(engine, "before_cursor_execute")
    def choose(_connection: Any, cursor: Any, *_: Any) -> None:
        cursor.fast_executemany = fast

    # All rows at once the bulk option would need more memory than there is.
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


def compare(rows: int, sides: dict[str, Measured]) -> Table:
    """The table that is printed."""
    table = Table(title=f"Writing {rows:,} loans of 27 columns over ODBC", title_justify="left")
    for column in ("", "seconds", "rows a second", "peak memory, MiB", "times faster than to_sql"):
        table.add_column(column, justify="left" if not column else "right")
    baseline = sides.get(_BASELINE)
    for name, side in sides.items():
        if not side.seconds:
            table.add_row(name, "", "", f"{side.peak_mib:,.0f}", "")
            continue
        table.add_row(
            name,
            f"{side.seconds:.1f}",
            f"{rows / side.seconds:,.0f}",
            f"{side.peak_mib:,.0f}",
            f"{baseline.seconds / side.seconds:.1f}" if baseline else "",
        )
    return table


SIDES = {
    "frame and imports": load_only,
    "TargetTableDataset": write,
    "again, nothing changed": write,
    "again, 1% changed": write_changed,
    "arrow-odbc": insert_by_arrow,
    "to_sql, fast_executemany": to_sql_fast,
    _BASELINE: to_sql,
}
SLOW = {"arrow-odbc", "to_sql, fast_executemany", _BASELINE}

if __name__ == "__main__":
    main()
