"""Batch scoring, Parquet to Parquet, against the time pandas needs to read the same columns.

    python -m tools.benchmarks.bench_scoring --rows 4000000

Each side runs in a process of its own on the same file of simulated applications. The clock of the
scoring runs from the opened file to the published one: reading, checking, PD, score, decision,
reasons as text, validation, writing; of pandas, `read_parquet` of the columns the model needs.
Imports and the training of the model are outside of both. Memory is that of the whole process.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from loantap.datasets import BatchedDataset, TableFileDataset
from loantap.pipelines.scoring.nodes import score_applications
from loantap.policy.options import ScoringOptions
from loantap.policy.schemas import SCORES
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import render
from loantap.simulator.portfolio import simulate_portfolio
from tools.benchmarks.measured import Measured, run_measured
from tools.benchmarks.scorers import KINDS, make_scorer, read_policy, read_scoring_options

_SIMULATED = 400_000
_REPEATS = 3


def main() -> None:
    """Write the file, measure both sides, print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--kind", choices=KINDS, default=KINDS[0], help="of model")
    parser.add_argument("--side", choices=list(SIDES))
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    if arguments.side:
        seconds = SIDES[arguments.side](arguments.folder, arguments.kind)
        (arguments.folder / f"{arguments.side}.json").write_text(json.dumps(seconds))
        return
    with tempfile.TemporaryDirectory() as folder:
        write_applications(arguments.rows, Path(folder))
        sides = {name: measure(name, Path(folder), arguments.kind) for name in SIDES}
    Console(width=100).print(compare(arguments.rows, sides))


def write_applications(rows: int, folder: Path) -> None:
    """Simulated applications, the same ones again and again beyond 400,000."""
    simulated = simulate_portfolio(min(rows, _SIMULATED), seed=42).portfolio
    table = pa.Table.from_pandas(
        render(simulated, portfolio_columns()).drop(columns="loan_status"), preserve_index=False
    )
    with pq.ParquetWriter(folder / "applications.parquet", table.schema) as writer:
        for start in range(0, rows, len(table)):
            writer.write_table(table.slice(0, min(len(table), rows - start)))


def measure(side: str, folder: Path, kind: str) -> Measured:
    """The fastest of three runs, each in a fresh process, and the largest memory of them."""
    seconds, peaks, processor = [], [], []
    for _ in range(_REPEATS):
        arguments = ["--side", side, "--folder", str(folder), "--kind", kind]
        process = run_measured(["-m", "tools.benchmarks.bench_scoring", *arguments])
        seconds.append(json.loads((folder / f"{side}.json").read_text()))
        peaks.append(process.peak_mib)
        processor.append(process.cpu_seconds)
    return Measured(min(seconds), max(peaks), min(processor))


def read(folder: Path, kind: str) -> float:
    """Seconds that pandas reads the columns of the model."""
    columns = [str(column.source_name) for column in make_scorer(kind).columns]
    started = time.perf_counter()
    pd.read_parquet(folder / "applications.parquet", columns=columns)
    return time.perf_counter() - started


def score(folder: Path, kind: str) -> float:
    """Seconds from the file of applications to the file of scores."""
    scorer, options = make_scorer(kind), read_scoring_options()
    source = TableFileDataset(filepath=str(folder / "applications.parquet"))
    target = BatchedDataset(
        dataset={"type": "pandas.ParquetDataset", "filepath": str(folder / "scores.parquet")}
    )
    started = time.perf_counter()
    _run(source, target, scorer, options)
    return time.perf_counter() - started


def _run(
    source: TableFileDataset, target: BatchedDataset, scorer: object, options: ScoringOptions
) -> None:
    """What the runner does for the pipeline."""
    deciding = (options, *read_policy(), None)
    for batch in score_applications(source.load(), scorer, *deciding):  # type: ignore[arg-type]
        target.save(SCORES.validate(cast("pd.DataFrame", batch)))
    target.publish()


def compare(rows: int, sides: dict[str, Measured]) -> Table:
    """The table that is printed."""
    table = Table(title=f"Batch scoring, {rows:,} simulated applications", title_justify="left")
    for column in ("", "seconds", "rows a second", "peak memory, MiB", "times the reading"):
        table.add_column(column, justify="left" if not column else "right")
    for name, side in sides.items():
        table.add_row(
            name,
            f"{side.seconds:.2f}",
            f"{rows / side.seconds:,.0f}",
            f"{side.peak_mib:,.0f}",
            f"{side.seconds / sides['read'].seconds:.1f}",
        )
    return table


SIDES = {"read": read, "score": score}

if __name__ == "__main__":
    main()
