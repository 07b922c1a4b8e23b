"""The API under load, against its baselines in the same run.

    python -m tools.benchmarks.bench_api
    python -m tools.benchmarks.bench_api --project FOLDER --minutes 1 --only soak

A project after `make run` is served on loopback, with an audit log apart. Baselines
(`tools.load.baselines`) run under the same server with as many processes; sides take turns.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

import numpy as np

from tools.benchmarks.measured import environment, print_table
from tools.load.applications import BATCH_PATH, list_applications, render_bodies, render_scoring, simulate_applications
from tools.load.exchange import ask, render_request
from tools.load.generator import Load, Sending, send
from tools.load.killing import kill_under_load
from tools.load.loantap_api import LoanTapApi
from tools.load.server import Server
from tools.sources.ports import free_port

MOST_P99_MS: Final = 25.0
_WINDOW_SECONDS: Final = 0.5
_OURS, _CONSTANT, _PUBLISHED = "loantap-api", "validated constant", "published way"
_FACTORIES: Final = {_CONSTANT: "make_constant", _PUBLISHED: "make_published"}
_GRANIAN: Final = "-m granian --interface wsgi --factory --no-ws --workers 2 --blocking-threads 8"


class Bench:
    """What is measured, on which servers, and the rows of the table."""

    def __init__(self, options: argparse.Namespace, folder: Path, stack: ExitStack) -> None:
        self.options, self._folder, self._stack = options, folder, stack
        self.rows: list[Sequence[str]] = []
        self._applications = simulate_applications(10_000)
        self._bodies = render_bodies(self._applications.head(2_000))
        self._api = self._start_api("ours")
        self._server = self._api.server
        self._servers = {_OURS: self._server}
        self._requests = render_scoring(self._bodies, self._api.headers)

    def start(self) -> None:
        """Start to ready, and memory then."""
        seconds = []
        for _ in range(self.options.rounds):
            self._server.stop()
            self._server.start()
            seconds.append(self._server.seconds_to_ready)
        self._add("start to ready, s", _tell(seconds, 1), "at most 5")
        self._add_peak("largest process then")

    def capacity(self) -> None:
        """Closed loop: as much as each side takes."""
        sides = [_OURS, *self._start_baselines(_CONSTANT, _PUBLISHED)]
        rates, costs = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
        for side in sides * self.options.rounds:
            before = self._servers[side].measure_cpu()
            load = self._send_all(side)
            rates[side].append(load.rate)
            used = (self._servers[side].measure_cpu() - before) / len(load.status)
            costs[side].append(used * 1e6)
        for side in sides:
            cost = f"{median(costs[side]):,.0f} µs of the processor each"
            self._add(f"{side}: requests a second", f"{_tell(rates[side])}; {cost}")
        for side, least in {_CONSTANT: 0.5, _PUBLISHED: 20.0}.items():
            ratios = [a / b for a, b in zip(rates[_OURS], rates[side], strict=True)]
            self._add(f"{_OURS}, times {side}", _tell(ratios, 2), f"at least {least:g}")

    def latency(self) -> None:
        """Open loop, ours and the constant at the same rate."""
        sides = [_OURS, *self._start_baselines(_CONSTANT)]
        self._hold_rate(sides, self.options.rounds, self.options.seconds)

    def soak(self) -> None:
        """Open loop for some minutes: errors, and memory in each tenth of them."""
        self._server.take_peak()
        sizes = self._hold_rate([_OURS], 10, self.options.minutes * 6)
        growth = sizes[-1] / sizes[1] - 1
        what = "  growth of memory from the second tenth to the last"
        self._add(what, f"{growth:+.1%}", "at most 5%")
        self._add_peak("  largest process meanwhile")

    def batch(self) -> None:
        """Rows a second, from the first byte sent to the last received."""
        rows = self._applications
        self._server.take_peak()
        for name, kind, body in (
            ("JSON", "application/json", json.dumps({"applications": list_applications(rows)})),
            ("CSV", "text/csv", rows.to_csv(index=False)),
        ):
            named = self._api.headers | {"Content-Type": kind, "Accept": kind}
            request = render_request("POST", BATCH_PATH, named, body.encode())
            rates = []
            for _ in range(self.options.rounds):
                began = perf_counter()
                answer = ask(self._server.port, request)
                rates.append(len(rows) / (perf_counter() - began))
                if answer.status != 200:
                    raise RuntimeError(f"{name}: {answer.status} {answer.body[:500]!r}")
            what = f"batch of 10,000 in {name}: rows a second"
            self._add(what, _tell(rates), "at least 50,000")
        self._add_peak("  largest process meanwhile")

    def kill(self) -> None:
        """Kill -9 under load, compare answers with the log, verify the chain each time."""
        api, draw, found = self._start_api("killed"), random.Random(20_261_128), []  # noqa: S311
        requests = render_scoring(self._bodies, api.headers)
        for number in range(self.options.kills):
            seconds, prefix = draw.uniform(0.5, 2.5), f"kill{number}"
            found.append(kill_under_load(api.server, requests, prefix, api.read_log, seconds))
            chain = api.verify()
            if not chain.is_ok:
                raise RuntimeError(f"after kill {number + 1} the chain fails: {chain.fault}")
        kinds = ("answered", "lost", "kept", "missing", "twice", "changed", "refused")
        counts = (f"{sum(getattr(one, kind) for one in found):,} {kind}" for kind in kinds)
        told = f"{', '.join(counts)}; the chain of {chain.n:,} records holds after each"
        self._add(f"kill -9 under load, {len(found)} times", told, "last four: none")
        ready = [one.seconds_to_ready for one in found]
        self._add("  ready again, s", _tell(ready, 1), "at most 5")

    def overload(self) -> None:
        """Three times the capacity; at half of it before, and after until all is normal."""
        capacity = self._find_capacity()
        before = self._send(_OURS, 5.0, capacity / 2)
        normal = max([MOST_P99_MS, *(p99 for _, p99, _ in _list_windows(before))])
        processes, began = self._server.list_processes(), perf_counter()
        load = self._send(_OURS, 10.0, 3 * capacity, 1_000)
        waited = perf_counter() - began - load.seconds
        recovery = waited + find_recovery(self._send(_OURS, 10.0, capacity / 2), normal)
        refused = {status: n for status, n in load.counts.items() if status in (429, 503)}
        others = len(load.status) - sum(refused.values()) - load.counts[200]
        slowest = max((load.take_quantile(0.99, status) for status in refused), default=0.0)
        self._add(
            "3 times the capacity for 10 s",
            f"{load.rate:,.0f} answered, {sum(refused.values()) / load.seconds:,.0f} refused a "
            f"second, {load.unsent:,} without a connection; 99% answered within "
            f"{load.take_quantile(0.99):,.0f} ms, refused within {slowest:,.0f} ms",
        )
        lost = len(set(processes) - set(self._server.list_processes()))
        what = "  neither answered nor refused, processes lost"
        self._add(what, f"{others}, {lost}", "none")
        what = f"  back to normal (99% within {normal:.0f} ms), s"
        self._add(what, f"{recovery:.1f}", "at most 5")

    def _hold_rate(self, sides: Sequence[str], stretches: int, seconds: float) -> list[float]:
        """Sides in turns at 80% of our capacity; MiB of our processes after each stretch."""
        rate, sizes = 0.8 * self._find_capacity(), []
        loads = defaultdict[str, list[Load]](list)
        for side in [*sides] * stretches:
            loads[side].append(self._send(side, seconds, rate))
            sizes.append(self._server.measure_memory())
        for side, found in loads.items():
            p50, p99 = ([load.take_quantile(share) for load in found] for share in (0.5, 0.99))
            errors = sum(load.errors for load in found)
            total = sum(len(load.status) + load.unsent for load in found)
            what = f"{side}, {stretches} times {seconds:g} s at {rate:,.0f} requests a second"
            told = f"median {median(p50):.1f} ms, 99% within {_tell(p99, 1)} ms"
            told += f"; {errors:,} errors of {total:,}"
            self._add(what, told, f"{MOST_P99_MS:g} ms, no error" if side == _OURS else "")
        return sizes

    def _add(self, what: str, told: str, asked: str = "") -> None:
        self.rows.append((what, told, asked))

    def _add_peak(self, what: str) -> None:
        told = f"{self._server.take_peak():,.0f}"
        self._add(f"{what}, MiB", told, "at most 477 (500 MB)")

    def _send(self, side: str, seconds: float, rate: float | None = None, most: int = 128) -> Load:
        sending = Sending(seconds, most if rate else 32, rate)
        return send(self._servers[side].port, cycle(self._requests), sending)

    def _send_all(self, side: str) -> Load:
        load = self._send(side, self.options.seconds)
        if load.errors or not len(load.status):
            raise RuntimeError(f"{side} answered otherwise than with success: {load.counts}")
        return load

    def _find_capacity(self) -> float:
        """Anew for each part: the machine is not always the same."""
        return median(self._send_all(_OURS).rate for _ in range(3))

    def _start_api(self, name: str) -> LoanTapApi:
        folder = self._folder / name
        folder.mkdir()
        settings = {"LOANTAP_WORKERS": "2", "LOANTAP_THREADS": "128"}
        api = LoanTapApi(self.options.project.resolve(), folder, settings)
        self._stack.enter_context(api.server)
        return api

    def _start_baselines(self, *names: str) -> Sequence[str]:
        for name in names:
            if name not in self._servers:
                port, target = free_port(), f"tools.load.baselines:{_FACTORIES[name]}"
                command = [sys.executable, *_GRANIAN.split(), "--port", str(port), target]
                server = Server(command, port, environment(), self._folder / "baseline.log")
                self._servers[name] = self._stack.enter_context(server)
        return names


PARTS: Final = ("start", "capacity", "latency", "batch", "kill", "overload", "soak")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path(), help="served; after make run")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--rounds", type=int, default=5, help="of each figure")
    parser.add_argument("--seconds", type=float, default=4.0, help="of a round")
    parser.add_argument("--minutes", type=float, default=10.0, help="of the soak")
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args()
    # As with Ctrl-C, the servers go along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    title = f"The API on {os.cpu_count()} cores; load before {os.getloadavg()[0]:.1f}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-api-")))
        bench = Bench(options, folder, stack)
        # Also where a part fails.
        stack.callback(lambda: print_table(title, ("", "measured", "asked"), bench.rows))
        for part in options.only:
            sys.stderr.write(f"{part} ...\n")
            getattr(bench, part)()


def find_recovery(load: Load, most_ms: float = MOST_P99_MS) -> float:
    """Seconds until nothing is refused and the 99th percentile is at most that, from then on."""
    bad = [end for end, p99, is_good in _list_windows(load) if p99 > most_ms or not is_good]
    return max(bad, default=0.0)


def _list_windows(load: Load) -> Iterator[tuple[float, float, bool]]:
    window = (load.answered_at / _WINDOW_SECONDS).astype(int)
    for number in np.unique(window):
        inside = window == number
        p99 = float(np.quantile(load.since_due[inside], 0.99)) * 1e3
        yield float(number + 1) * _WINDOW_SECONDS, p99, bool(load.is_good[inside].all())


def _tell(values: Sequence[float], digits: int = 0) -> str:
    """The median and the range."""
    middle, low, high = (f"{x:,.{digits}f}" for x in (median(values), min(values), max(values)))
    return f"{middle} ({low} to {high})"


if __name__ == "__main__":
    main()
