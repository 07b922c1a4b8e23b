"""The API under load, against its baselines in the same run.

    python -m tools.benchmarks.bench_api
    python -m tools.benchmarks.bench_api --project FOLDER --minutes 1 --only soak
    python -m tools.benchmarks.bench_api --json > figures.json

`loantap-api` serves a project after `make run` on loopback, with an audit log of its own in a
temporary folder, so that the project's own log stays as it is. Baselines, under the same server
with as many processes: a Flask route that checks the same body with pydantic and answers a
constant; and the published case study's way to score one row, a pandas frame through a fitted
scikit-learn pipeline. Sides take turns, so that other work on the machine meets all of them.
"""

import argparse
import json
import math
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import pandas as pd
from rich.console import Console
from rich.table import Table

from tools.benchmarks import api_figures, api_trials
from tools.benchmarks.api_figures import CONNECTIONS, Figure, Side
from tools.benchmarks.measured import environment
from tools.load.applications import (
    BATCH_PATH,
    list_applications,
    render_bodies,
    render_scoring,
    simulate_applications,
)
from tools.load.exchange import BrokenAnswerError, render_request
from tools.load.fuzzing import fuzz
from tools.load.loantap_api import LoanTapApi
from tools.load.server import Server, Watch, find_port

_OURS: Final = "loantap-api"
_CONSTANT: Final = "validated constant"
_PUBLISHED: Final = "published way"
_LEAST: Final = {_CONSTANT: 0.5, _PUBLISHED: 20.0}
_FACTORIES: Final = {_CONSTANT: "make_constant", _PUBLISHED: "make_published"}
_APPLICATIONS: Final = 2_000
_BATCH: Final = 10_000
_TOLD_SECONDS: Final = 30.0


class Told:
    """How far things are, on standard error, now and then."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._part, self._last = "", 0.0

    def start(self, part: str) -> None:
        """A part begins."""
        self._part = part
        self._console.print(f"{part} ...")

    def __call__(self, progress: str) -> None:
        """It is so far."""
        if time.monotonic() - self._last > _TOLD_SECONDS:
            self._last = time.monotonic()
            self._console.print(f"  {self._part}: {progress}")

    def show(self, figures: list[Figure]) -> None:
        """What it found, so that nothing is lost if a later part is interrupted."""
        for figure in figures:
            self._console.print(f"  {figure.what}: {figure.measured}", highlight=False)


@dataclass(frozen=True, slots=True)
class Bench:
    """What is measured, and how long.

    Attributes:
        api: running.
        side: the API as a side of a comparison.
        folder: for what servers say.
        applications: a batch of them.
        options: of the command.
        told: how far things are.
    """

    api: LoanTapApi
    side: Side
    folder: Path
    applications: pd.DataFrame
    options: argparse.Namespace
    told: Told

    def find_capacity(self) -> float:
        """Of the API alone, before each part that needs it: the machine is not always the same."""
        found = api_figures.measure_capacity([self.side], 3, self.options.seconds)
        return found[self.side.name].rate


def main() -> None:
    """Measure and print."""
    options = _read_arguments()
    # Who is asked to end takes the servers along, as with Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    figures: list[Figure] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-api-")))
        bench = _open(stack, folder, options)
        for name in options.only:
            bench.told.start(name)
            found = _measure(name, bench)
            bench.told.show(found)
            figures += found
    if options.json:
        print(json.dumps([asdict(figure) for figure in figures], indent=1))  # noqa: T201
    else:
        Console(width=140).print(_tabulate(figures))
    if any(math.isnan(figure.value) for figure in figures):
        sys.exit(1)


def _measure(name: str, bench: Bench) -> list[Figure]:
    """The figures of a part; one that cannot be measured is a row, and the others go on."""
    try:
        return PARTS[name](bench)
    except (RuntimeError, OSError, BrokenAnswerError) as error:
        return [Figure(name, f"not measured: {error}", math.nan, is_met=False)]


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path(), help="served; after make run")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--rounds", type=int, default=5, help="of the capacity of each side")
    parser.add_argument("--seconds", type=float, default=4.0, help="of a round")
    parser.add_argument("--minutes", type=float, default=10.0, help="of the soak")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--bodies", type=int, default=10_000, help="that make no sense")
    parser.add_argument("--workers", type=int, default=2, help="processes of each side")
    parser.add_argument("--threads", type=int, default=128, help="of each process of ours")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    return parser.parse_args()


def _open(stack: ExitStack, folder: Path, options: argparse.Namespace) -> Bench:
    api = _make_api(options, folder)
    stack.enter_context(api.server)
    applications = simulate_applications(_BATCH)
    requests = render_scoring(render_bodies(applications.head(_APPLICATIONS)), api.headers)
    side = Side(_OURS, api.server, requests)
    return Bench(api, side, folder, applications, options, Told())


def _make_api(options: argparse.Namespace, folder: Path) -> LoanTapApi:
    settings = {"LOANTAP_WORKERS": str(options.workers), "LOANTAP_THREADS": str(options.threads)}
    return LoanTapApi(options.project.resolve(), folder, settings)


def _start_baseline(bench: Bench, name: str) -> Side:
    port = find_port()
    # What it does best with.
    size = ["--workers", str(bench.options.workers), "--blocking-threads", "8"]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--no-ws"]
    target = f"tools.load.baselines:{_FACTORIES[name]}"
    server = Server(
        [*command, "--port", str(port), *size, target],
        port,
        environment(),
        "/readyz",
        bench.folder / "baseline.log",
    )
    return Side(name, server, bench.side.requests)


def _compare_capacity(bench: Bench) -> list[Figure]:
    with ExitStack() as stack:
        sides = [bench.side]
        for name in _LEAST:
            baseline = _start_baseline(bench, name)
            stack.enter_context(baseline.server)
            sides.append(baseline)
        options = bench.options
        found = api_figures.measure_capacity(sides, options.rounds, options.seconds)
    return api_figures.compare_capacity(found, _OURS, _LEAST)


def _measure_latency(bench: Bench) -> list[Figure]:
    rate = 0.8 * bench.find_capacity()
    return api_figures.measure_latency(bench.side, rate, 5, bench.options.seconds)


def _measure_batches(bench: Bench) -> list[Figure]:
    rows, headers = bench.applications, bench.api.headers
    bodies = {
        "JSON": ("application/json", json.dumps({"applications": list_applications(rows)})),
        "CSV": ("text/csv", rows.to_csv(index=False)),
    }
    figures, server = [], bench.side.server
    with Watch(server, 0.05) as watch:
        for name, (kind, body) in bodies.items():
            named = headers | {"Content-Type": kind, "Accept": kind}
            request = render_request("POST", BATCH_PATH, named, body.encode())
            figures.append(api_figures.measure_batch(server, name, request, len(rows), 7))
    return [*figures, api_figures.tell_memory("  largest process meanwhile", watch.largest)]


def _fuzz(bench: Bench) -> list[Figure]:
    few = bench.applications.head(50)
    csv = few.to_csv(index=False).encode()
    bodies, number = render_bodies(few), bench.options.bodies
    found = fuzz(bench.side.server.port, bench.api.headers, bodies, csv, number)
    return api_trials.tell_fuzzed(found)


def _soak(bench: Bench) -> list[Figure]:
    rate = 0.8 * bench.find_capacity()
    return api_trials.soak(bench.side, rate, bench.options.minutes, bench.told)


def _overload(bench: Bench) -> list[Figure]:
    return api_trials.overload(bench.side, bench.find_capacity(), 3.0, 10.0)


def _kill(bench: Bench) -> list[Figure]:
    """With a log of its own, since the whole chain is verified after each kill."""
    folder = bench.folder / "killed"
    folder.mkdir()
    api = _make_api(bench.options, folder)
    few = bench.applications.head(_APPLICATIONS)
    requests = render_scoring(render_bodies(few), api.headers)
    with api.server:
        return api_trials.kill_again_and_again(api, requests, bench.options.kills, bench.told)


def _start(bench: Bench) -> list[Figure]:
    return api_figures.measure_start(bench.side.server, 5)


def _tabulate(figures: list[Figure]) -> Table:
    title = f"The API on {os.cpu_count()} cores, {CONNECTIONS} connections"
    table = Table(title=title, title_justify="left")
    for column in ("what", "measured", "asked", "met"):
        table.add_column(column)
    for figure in figures:
        met = "" if figure.is_met is None else "yes" if figure.is_met else "NO"
        table.add_row(figure.what, figure.measured, figure.asked, met)
    return table


PARTS: Final[dict[str, Callable[[Bench], list[Figure]]]] = {
    "start": _start,
    "capacity": _compare_capacity,
    "latency": _measure_latency,
    "batch": _measure_batches,
    "fuzz": _fuzz,
    "kill": _kill,
    "overload": _overload,
    "soak": _soak,
}

if __name__ == "__main__":
    main()
