"""What is measured of the API, one function for each figure or group of them."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Final

from tools.load.exchange import ask
from tools.load.generator import Load, Sending, send
from tools.load.server import OtherWork, Server

CONNECTIONS: Final = 32
_OPEN_CONNECTIONS: Final = 128
MOST_P99_MS: Final = 25.0
_MOST_MIB: Final = 500e6 / 2**20


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


@dataclass(slots=True)
class Capacity:
    """Rounds of one side.

    Attributes:
        rates: answers a second.
        microseconds: of the processor, of the server, for each.
        other_cores: that work of others kept busy meanwhile.
    """

    rates: list[float]
    microseconds: list[float]
    other_cores: float = 0.0

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
    with OtherWork([side.server for side in sides]) as others:
        _take_turns(found, sides, rounds, seconds)
    for capacity in found.values():
        capacity.other_cores = others.cores
    return found


def _take_turns(
    found: Mapping[str, Capacity], sides: Sequence[Side], rounds: int, seconds: float
) -> None:
    for _ in range(rounds):
        for side in sides:
            before = side.server.measure_cpu()
            load = send(side.server.port, cycle(side.requests), Sending(seconds, CONNECTIONS))
            _require_success(load, side.name)
            used = side.server.measure_cpu() - before
            found[side.name].rates.append(load.rate)
            found[side.name].microseconds.append(used / len(load.status) * 1e6)


def compare_capacity(
    found: Mapping[str, Capacity], ours: str, least: Mapping[str, float]
) -> list[Figure]:
    """Rows of capacities, and of ratios to baselines with the least that is asked."""
    rows = [
        Figure(
            f"{name}: requests a second",
            f"{capacity.rate:,.0f} ({min(capacity.rates):,.0f} to {max(capacity.rates):,.0f}); "
            f"{statistics.median(capacity.microseconds):,.0f} µs of the processor each; "
            f"other work {capacity.other_cores:.2f} cores",
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
    with OtherWork([side.server]) as others:
        loads = [send_open(side, rate, seconds) for _ in range(stretches)]
    p99 = [load.take_quantile(0.99) for load in loads]
    p50 = statistics.median(load.take_quantile(0.5) for load in loads)
    errors = sum(load.errors for load in loads)
    middle = statistics.median(p99)
    return [
        Figure(f"median at {rate:,.0f} requests a second", f"{p50:.1f} ms", p50),
        Figure(
            f"99th percentile at {rate:,.0f} requests a second",
            f"{middle:.1f} ms ({min(p99):.1f} to {max(p99):.1f}), {errors} errors; "
            f"other work {others.cores:.2f} cores",
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
        tell_memory("memory of the largest process", size),
    ]


def tell_memory(what: str, size: float) -> Figure:
    """A row for the largest process of a server, in MiB."""
    return Figure(what, f"{size:,.0f} MiB", size, "at most 477 MiB", size <= _MOST_MIB)


def send_open(side: Side, rate: float, seconds: float) -> Load:
    """Requests that are due at random times, so many a second, whatever became of earlier ones."""
    return send(side.server.port, cycle(side.requests), Sending(seconds, _OPEN_CONNECTIONS, rate))


def _require_success(load: Load, name: str) -> None:
    if load.errors or not len(load.status):
        raise RuntimeError(f"{name}: {load.counts}, {load.unsent} unsent")
