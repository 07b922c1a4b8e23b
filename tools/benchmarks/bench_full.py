"""The main job at the size of the book: time and peak memory of every node, and in all.

    python -m tools.benchmarks.bench_full --loans 396030
    python -m tools.benchmarks.bench_full --pipelines sources,ingestion --growth 400000 4000000

A run is `kedro run`, in a process and a project folder of its own that is removed afterwards. The
node that has ended writes a line, at which time, processor time and memory are read; so a node's
figures include loading and saving. Memory is the most that the process held at once (resident set),
or, if that is more, the process with its children (proportional set, looked at five times a
second). Other work on the machine makes the seconds longer, the processor time hardly.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tools.benchmarks.measured import Meter, Usage, environment

_PROJECT = Path(__file__).parents[2]
# A node that has ended, as the run says it: "12/96 clean_loans   3.4 s".
_ENDED = re.compile(r"^\s*\d+/\d+\s+(?P<node>\S+)\s+[\d.]+ s\b")
_BEFORE, _AFTER = "start", "publication and summary"


@dataclass(frozen=True, slots=True)
class Run:
    """A run that succeeded.

    Attributes:
        nodes: what each took, in order; the first entry is the start, the last what follows nodes.
        disk_gib: what the project folder holds in the end.
    """

    nodes: dict[str, Usage]
    disk_gib: float

    @property
    def total(self) -> Usage:
        """Of the whole process."""
        parts = self.nodes.values()
        return Usage(
            sum(part.seconds for part in parts),
            sum(part.cpu_seconds for part in parts),
            max(part.peak_mib for part in parts),
        )


def main() -> None:
    """Measure one run, or one of each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loans", type=int, default=396_030)
    parser.add_argument("--portfolio", type=Path, help="a file instead of simulated loans")
    parser.add_argument("--pipelines", help="some instead of the whole job")
    parser.add_argument(
        "--growth", type=int, nargs="+", default=[], help="sizes, one after another"
    )
    parser.add_argument("--scratch", type=Path, help="where the project folder is made")
    parser.add_argument("--keep", action="store_true", help="the project folder stays")
    arguments = parser.parse_args()
    console = Console(width=100)
    run = [str(Path(sys.executable).with_name("kedro")), "run"]
    run += ["--pipelines", arguments.pipelines] if arguments.pipelines else []
    runs = {}
    for loans in arguments.growth or [arguments.loans]:
        given = f"portfolio={arguments.portfolio}" if arguments.portfolio else f"loans={loans}"
        with scratch_project(arguments.scratch, keep=arguments.keep) as folder:
            runs[loans] = watch(folder, [*run, "--params", given], console)
        show(given, runs[loans], console)
    if arguments.growth:
        show_growth(runs, console)


@contextmanager
def scratch_project(parent: Path | None, *, keep: bool) -> Iterator[Path]:
    """A project folder with the shipped configuration and nothing else."""
    folder = Path(tempfile.mkdtemp(prefix="bench-full-", dir=parent))
    try:
        shutil.copytree(_PROJECT / "conf", folder / "conf")
        shutil.copy(_PROJECT / "pyproject.toml", folder)
        (folder / "src").mkdir()
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder)


def watch(folder: Path, command: list[str], console: Console) -> Run:
    """Give a command that runs pipelines, telling of each node as it ends."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    nodes: dict[str, Usage] = {}
    said: list[str] = []
    with process, Meter(process.pid) as meter:
        name = _BEFORE
        for line in process.stderr or ():
            said.append(line)
            if found := _ENDED.match(line):
                # The first node's line ends the start of the process as well.
                name = found["node"]
                nodes[name] = meter.read()
                console.print(
                    f"{name:<50} {nodes[name].seconds:7.1f} s {nodes[name].peak_mib:7,.0f} MiB"
                )
        rest = meter.finish(process)
    if process.returncode:
        raise SystemExit("".join(said[-40:]))
    if not nodes:
        raise SystemExit("The run named no node: does it still write a line for each?")
    nodes[_AFTER] = rest
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Run(nodes, size / 2**30)


def show(given: str, run: Run, console: Console) -> None:
    """Every node, and the whole run."""
    table = Table(title=f"kedro run --params {given}")
    for heading in ("node", "seconds", "processor", "peak MiB"):
        table.add_column(heading, justify="left" if heading == "node" else "right")
    for name, usage in (*run.nodes.items(), ("in all", run.total)):
        table.add_row(name, *_figures(usage))
    console.print(table)
    console.print(f"{run.disk_gib:.1f} GiB on disk")


def show_growth(runs: dict[int, Run], console: Console) -> None:
    """Whether time grows with the loans, and memory does not."""
    table = Table(title="Growth")
    for heading in ("loans", "seconds", "processor", "peak MiB", "processor s/100,000", "GiB"):
        table.add_column(heading, justify="right")
    for loans, run in runs.items():
        each = run.total.cpu_seconds / loans * 1e5
        table.add_row(f"{loans:,}", *_figures(run.total), f"{each:.1f}", f"{run.disk_gib:.1f}")
    console.print(table)


def _figures(usage: Usage) -> tuple[str, str, str]:
    return f"{usage.seconds:,.1f}", f"{usage.cpu_seconds:,.1f}", f"{usage.peak_mib:,.0f}"


if __name__ == "__main__":
    main()
