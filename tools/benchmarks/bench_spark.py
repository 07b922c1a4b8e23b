"""Batch scoring on one machine against Spark on the same two cores: time, memory, growth.

    python -m tools.benchmarks.bench_spark --rows 100000 400000 1600000 4000000

From a Parquet file of applications to one of scores. Every run is a process of its own, in which
the file is scored twice: the first time with all that has to be started, then with Spark running.
`--cores` says on how many of this machine's cores Spark runs.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import yaml
from rich.console import Console
from rich.table import Table

from loantap.datasets import SparkFileDataset, SparkTableDataset
from loantap.datasets.spark.session import open_session
from loantap.pipelines.scoring.nodes import score_applications
from loantap.tables.rows import MappedFile
from tools.benchmarks.bench_scoring import score, write_applications
from tools.benchmarks.measured import run_measured
from tools.benchmarks.scorers import KINDS, make_scorer, read_policy, read_scoring_options

_CATALOG = Path(__file__).parents[2] / "conf/spark/catalog.yml"


def main() -> None:
    """Write each file, measure both sides, print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 400_000])
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--side", choices=list(SIDES))
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    if arguments.side:
        seconds = SIDES[arguments.side](arguments.folder, arguments.cores)
        (arguments.folder / "seconds.json").write_text(json.dumps(seconds))
        return
    table = make_table(arguments.cores)
    for rows in arguments.rows:
        with tempfile.TemporaryDirectory() as folder:
            write_applications(rows, Path(folder))
            for side in SIDES:
                table.add_row(*measure(side, rows, Path(folder), arguments.cores))
    Console(width=110).print(table)


def measure(side: str, rows: int, folder: Path, cores: int) -> list[str]:
    """One row of the table."""
    arguments = ["--side", side, "--folder", str(folder), "--cores", str(cores)]
    process = run_measured(["-m", "tools.benchmarks.bench_spark", *arguments])
    started, first, again = json.loads((folder / "seconds.json").read_text())
    figures = [f"{started:.1f}", f"{first:.2f}", f"{again:.2f}", f"{rows / again:,.0f}"]
    return [f"{rows:,}", side, *figures, f"{process.peak_mib:,.0f}"]


def score_here(folder: Path, _cores: int) -> list[float]:
    """Seconds to start, which is nothing, and of two runs in this process."""
    return [0.0, score(folder, KINDS[0]), score(folder, KINDS[0])]


def score_on_spark(folder: Path, cores: int) -> list[float]:
    """Seconds until Spark is there, and of two runs on it, the first of which starts workers."""
    settings = yaml.safe_load(_CATALOG.read_text())["_session"]
    settings |= {"spark.master": f"local[{cores}]"}
    source = SparkFileDataset(filepath=str(folder / "applications.parquet"))
    target = SparkTableDataset(
        dataset={"type": "pandas.ParquetDataset", "filepath": str(folder / "there.parquet")},
        schema="loantap.policy.schemas.SCORES",
        session=settings,
    )
    scorer, options = make_scorer(KINDS[0]), read_scoring_options()

    def run() -> None:
        for promise in score_applications(source.load(), scorer, options, *read_policy(), None):
            target.save(cast("MappedFile", promise))
        target.publish()

    return [_time(lambda: open_session(settings)), _time(run), _time(run)]


def _time(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def make_table(cores: int) -> Table:
    """The table that is printed, without its rows."""
    title = f"Scoring on one machine and on Spark, local[{cores}]"
    table = Table(title=title, title_justify="left")
    for column in (
        "applications", "", "seconds to start", "first run", "second run", "rows a second",
        "peak memory, MiB",
    ):  # fmt: skip
        table.add_column(column, justify="right" if column else "left")
    return table


SIDES = {"one machine": score_here, "spark": score_on_spark}

if __name__ == "__main__":
    main()
