"""What the API must bear: load for long, too much of it, kills, bodies that make no sense."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import Final

import numpy as np

from tools.benchmarks.api_figures import MOST_P99_MS, Figure, Side, send_open
from tools.load.fuzzing import Fuzzed
from tools.load.generator import Load, Sending, send
from tools.load.killing import kill_under_load
from tools.load.loantap_api import LoanTapApi
from tools.load.server import OtherWork, Watch

_MOST_CONNECTIONS: Final = 1_000
_WINDOW_SECONDS: Final = 0.5
# Of what came before the overload, to know what is normal.
_BEFORE_SECONDS: Final = 5.0
_AFTER_SECONDS: Final = 10.0

# Told how far something is.
Progress = Callable[[str], object]


def soak(side: Side, rate: float, minutes: float, tell: Progress) -> list[Figure]:
    """Open loop at a rate for some minutes: errors, memory."""
    with Watch(side.server, tell=tell) as watch, OtherWork([side.server]) as others:
        load = send_open(side, rate, minutes * 60)
    growth = watch.compare()
    return [
        Figure(
            f"{minutes:g} minutes at {rate:,.0f} requests a second: errors",
            f"{load.tell_errors()} in {load.due:,}; 99th percentile "
            f"{load.take_quantile(0.99):.1f} ms; other work {others.cores:.2f} cores",
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
    """Open loop at so many times the capacity; at half of it before, and after until all is so."""
    before = send_open(side, capacity / 2, _BEFORE_SECONDS)
    normal = max(MOST_P99_MS, take_slowest(before))
    processes = side.server.list_processes()
    began = time.perf_counter()
    sending = Sending(seconds, _MOST_CONNECTIONS, times * capacity)
    load = send(side.server.port, cycle(side.requests), sending)
    waited = time.perf_counter() - began - load.seconds
    after = send_open(side, capacity / 2, _AFTER_SECONDS)
    refused = {status: n for status, n in load.counts.items() if status in (429, 503)}
    others = sum(n for status, n in load.counts.items() if status not in (200, 429, 503))
    slowest = max((load.take_quantile(0.99, status) for status in refused), default=0.0)
    recovery = waited + find_recovery(after, normal)
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
            "  back to normal after",
            f"{recovery:.1f} s; normal is nothing refused and a 99th percentile of at most "
            f"{normal:.0f} ms in each half second",
            recovery,
            "at most 5 s",
            recovery <= 5,
        ),
    ]


def find_recovery(load: Load, most_ms: float = MOST_P99_MS) -> float:
    """Seconds until nothing is refused and the 99th percentile is at most that, from then on."""
    bad = [end for end, p99, is_good in _list_windows(load) if p99 > most_ms or not is_good]
    return max(bad, default=0.0)


def take_slowest(load: Load) -> float:
    """The 99th percentile, in milliseconds, of the slowest half second."""
    return max((p99 for _, p99, _ in _list_windows(load)), default=0.0)


def _list_windows(load: Load) -> Iterator[tuple[float, float, bool]]:
    """Of each half second its end, its 99th percentile, and whether nothing was refused in it."""
    window = (load.answered_at / _WINDOW_SECONDS).astype(int)
    for number in np.unique(window):
        inside = window == number
        p99 = float(np.quantile(load.since_due[inside], 0.99)) * 1e3
        yield float(number + 1) * _WINDOW_SECONDS, p99, bool(load.is_good[inside].all())


def tell_fuzzed(found: Fuzzed) -> list[Figure]:
    """A row for bodies that make no sense.

    Raises:
        RuntimeError: one had a 5xx or no answer; with the first of them.
    """
    if found.faults:
        raise RuntimeError(f"{found.faults} bodies had a 5xx or no answer: {found.shown}")
    counts = ", ".join(f"{n:,} {status}" for status, n in sorted(found.counts.items()))
    number = sum(found.counts.values())
    return [Figure(f"{number:,} fuzzed bodies: 5xx", f"0 ({counts})", 0, "none", is_met=True)]


def kill_again_and_again(
    api: LoanTapApi, requests: Sequence[bytes], times: int, tell: Progress
) -> list[Figure]:
    """Kill -9 under load, compare answers with the log, verify the chain each time."""
    draw = random.Random(20_261_128)  # noqa: S311
    found = []
    for number in range(times):
        tell(f"kill {number + 1} of {times}")
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
