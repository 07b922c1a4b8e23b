"""What is measured of the API, one function for each figure or group of them."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Final

import numpy as np

from tools.load.exchange import ask
from tools.load.generator import Load, Sending, send
from tools.load.killing import kill_under_load
from tools.load.loantap_api import LoanTapApi
from tools.load.server import Server, Watch

CONNECTIONS: Final = 32
_OPEN_CONNECTIONS: Final = 128
_MOST_CONNECTIONS: Final = 1_000
_WINDOW_SECONDS: Final = 0.5
MOST_P99_MS: Final = 25.0


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the table.

    Attributes:
        what: was measured.
        measured: in words.
        value: the number, in the unit of the words.
        asked: in words; empty where nothing was.
        is_met: whether it is as asked; None where nothing was.
    """

    what: str
    measured: str
    value: float
    asked: str = ""
    is_met: bool | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """A server in a comparison, and what it is sent."""

    name: str
    server: Server
    requests: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Capacity:
    """Rounds of one side: answers a second, and processor microseconds of the server for each."""

    rates: list[float]
    microseconds: list[float]

    @property
    def rate(self) -> float:
        """Of the middle round."""
        return statistics.median(self.rates)


def measure_capacity(sides: Sequence[Side], rounds: int, seconds: float) -> dict[str, Capacity]:
    """Load one side after the other, again and again, as much as it takes.

    Raises:
        RuntimeError: a request failed.
    """
    found = {side.name: Capacity([], []) for side in sides}
    for _ in range(rounds):
        for side in sides:
            before = side.server.measure_cpu()
            load = send(side.server.port, cycle(side.requests), Sending(seconds, CONNECTIONS))
            _require_success(load, side.name)
            used = side.server.measure_cpu() - before
            found[side.name].rates.append(load.rate)
            found[side.name].microseconds.append(used / len(load.status) * 1e6)
    return found


def compare_capacity(
    found: Mapping[str, Capacity], ours: str, least: Mapping[str, float]
) -> list[Figure]:
    """Rows of capacities, and of ratios to baselines with the least that is asked."""
    rows = [
        Figure(
            f"{name}: requests a second",
            f"{capacity.rate:,.0f} ({min(capacity.rates):,.0f} to {max(capacity.rates):,.0f}); "
            f"{statistics.median(capacity.microseconds):,.0f} µs of the processor each",
            capacity.rate,
        )
        for name, capacity in found.items()
    ]
    for name, asked in least.items():
        ratios = [a / b for a, b in zip(found[ours].rates, found[name].rates, strict=True)]
        ratio = statistics.median(ratios)
        rows.append(
            Figure(
                f"{ours}, times {name}",
                f"{ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
                ratio,
                f"at least {asked:g}",
                ratio >= asked,
            )
        )
    return rows


def measure_latency(side: Side, rate: float, stretches: int, seconds: float) -> list[Figure]:
    """Open loop at a rate, in several stretches, of which the middle one counts."""
    loads = [_send_open(side, rate, seconds) for _ in range(stretches)]
    p99 = [load.take_quantile(0.99) for load in loads]
    p50 = statistics.median(load.take_quantile(0.5) for load in loads)
    errors = sum(load.errors for load in loads)
    middle = statistics.median(p99)
    return [
        Figure(f"median at {rate:,.0f} requests a second", f"{p50:.1f} ms", p50),
        Figure(
            f"99th percentile at {rate:,.0f} requests a second",
            f"{middle:.1f} ms ({min(p99):.1f} to {max(p99):.1f}), {errors} errors",
            middle,
            f"at most {MOST_P99_MS:g} ms",
            middle <= MOST_P99_MS and not errors,
        ),
    ]


def measure_batch(server: Server, name: str, request: bytes, rows: int, repeats: int) -> Figure:
    """Rows a second of a batch, from the first byte sent to the last received."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        answer = ask(server.port, request)
        seconds.append(time.perf_counter() - started)
        if answer.status != 200:
            raise RuntimeError(f"{name}: {answer.status} {answer.body[:500]!r}")
    rates = [rows / taken for taken in seconds]
    rate = statistics.median(rates)
    return Figure(
        f"{rows:,} rows, {name}: rows a second",
        f"{rate:,.0f} ({min(rates):,.0f} to {max(rates):,.0f})",
        rate,
        "at least 50,000",
        rate >= 50_000,
    )


def soak(side: Side, rate: float, minutes: float) -> list[Figure]:
    """Open loop at a rate for some minutes: errors, memory."""
    with Watch(side.server) as watch:
        load = _send_open(side, rate, minutes * 60)
    growth = watch.compare()
    return [
        Figure(
            f"{minutes:g} minutes at {rate:,.0f} requests a second: errors",
            f"{load.errors:,} in {load.due:,}; 99th percentile {load.take_quantile(0.99):.1f} ms",
            load.errors,
            "none",
            not load.errors,
        ),
        Figure(
            "  growth of memory, last tenth against the second",
            f"{growth:+.1%}, largest process {watch.largest:,.0f} MiB",
            growth,
            "at most 5%",
            growth <= 0.05,
        ),
    ]


def overload(side: Side, capacity: float, times: float, seconds: float) -> list[Figure]:
    """Open loop at so many times the capacity, then at half of it until all is as it was."""
    processes = side.server.list_processes()
    load = send(
        side.server.port,
        cycle(side.requests),
        Sending(seconds, _MOST_CONNECTIONS, times * capacity),
    )
    after = _send_open(side, capacity / 2, 8.0)
    refused = {status: n for status, n in load.counts.items() if status in (429, 503)}
    others = sum(n for status, n in load.counts.items() if status not in (200, 429, 503))
    slowest = max((load.take_quantile(0.99, status) for status in refused), default=0.0)
    recovery = find_recovery(after)
    is_same = side.server.list_processes() == processes
    return [
        Figure(
            f"{times:g} times the capacity for {seconds:g} s",
            f"{load.rate:,.0f} answered, {sum(refused.values()) / load.seconds:,.0f} refused a "
            f"second, {load.unsent:,} without a connection; answered within "
            f"{load.take_quantile(0.99):,.0f} ms, refused within {slowest:,.0f} ms (99%)",
            load.rate,
        ),
        Figure(
            "  neither answered nor refused, processes lost",
            f"{others}, {0 if is_same else 1}",
            others,
            "none",
            not others and is_same,
        ),
        Figure(
            "  back to normal after", f"{recovery:.1f} s", recovery, "at most 5 s", recovery <= 5
        ),
    ]


def find_recovery(load: Load, most_ms: float = MOST_P99_MS) -> float:
    """Seconds until nothing is refused and the 99th percentile is at most that, from then on."""
    window = (load.answered_at / _WINDOW_SECONDS).astype(int)
    last = 0.0
    for number in np.unique(window):
        inside = window == number
        is_slow = np.quantile(load.since_due[inside], 0.99) * 1e3 > most_ms
        if is_slow or not load.is_good[inside].all():
            last = float(number + 1) * _WINDOW_SECONDS
    return last


def kill_again_and_again(api: LoanTapApi, requests: Sequence[bytes], times: int) -> list[Figure]:
    """Kill -9 under load, compare answers with the log, verify the chain each time."""
    draw = random.Random(20_261_128)  # noqa: S311
    found = []
    for number in range(times):
        found.append(
            kill_under_load(
                api.server, list(requests), f"kill{number}", api.read_log, draw.uniform(0.5, 2.5)
            )
        )
        chain = api.verify()
        if not chain.is_ok:
            raise RuntimeError(f"after kill {number + 1} the chain does not hold: {chain.fault}")
    faults = sum(one.faults for one in found)
    ready = max(one.seconds_to_ready for one in found)
    return [
        Figure(
            f"kill -9 under load, {times} times",
            f"{sum(one.answered for one in found):,} answered, all in the log but "
            f"{sum(one.missing for one in found)}; {sum(one.lost for one in found)} on their way, "
            f"{sum(one.kept for one in found)} of them in the log; "
            f"{sum(one.twice for one in found)} decided twice, "
            f"{sum(one.changed for one in found)} answered otherwise, "
            f"{sum(one.refused for one in found)} refused; the chain of {chain.n:,} "
            "records verifies after each",
            faults,
            "none",
            not faults,
        ),
        Figure("  ready again, the slowest", f"{ready:.1f} s", ready, "at most 5 s", ready <= 5),
    ]


def measure_start(server: Server, repeats: int) -> list[Figure]:
    """Start to ready, and the memory of the largest process then."""
    seconds, sizes = [], []
    for _ in range(repeats):
        server.stop()
        server.start()
        seconds.append(server.seconds_to_ready)
        sizes.append(max(server.measure_memory()))
    middle, size = statistics.median(seconds), max(sizes)
    return [
        Figure(
            "start to ready",
            f"{middle:.1f} s ({min(seconds):.1f} to {max(seconds):.1f})",
            middle,
            "at most 5 s",
            middle <= 5,
        ),
        Figure(
            "memory of the largest process", f"{size:,.0f} MiB", size, "at most 500 MB", size <= 500
        ),
    ]


def _send_open(side: Side, rate: float, seconds: float) -> Load:
    return send(side.server.port, cycle(side.requests), Sending(seconds, _OPEN_CONNECTIONS, rate))


def _require_success(load: Load, name: str) -> None:
    if load.errors or not len(load.status):
        raise RuntimeError(f"{name}: {load.counts}, {load.unsent} unsent")
