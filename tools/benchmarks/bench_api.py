"""The API under load, against its baselines in the same run.

	python -m tools.benchmarks.bench_api
	python -m tools.benchmarks.bench_api --project FOLDER --only latency --rounds 10 --seconds 30

A project after `make run` is served on loopback, with an audit log apart. Baselines (`tools.load.baselines`) run under
the same server with as many processes; sides take turns.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

import numpy as np

from tools.benchmarks.measured import cpu_of_tree, environment, print_table, status_mib
from tools.load.applications import list_applications, render_scoring, simulate_applications
from tools.load.generator import Load, ask, render_request, send
from tools.load.server import LoanTapApi, Server, kill_under_load
from tools.sources.processes import free_port

PARTS: Final = ("start", "capacity", "latency", "batch", "kill", "overload")
_MOST_P99_MS: Final = 25.0
_WINDOW_SECONDS: Final = 0.5
_OURS, _CONSTANT, _PUBLISHED = "loantap-api", "validated constant", "published way"
_FACTORIES: Final = {_CONSTANT: "make_constant", _PUBLISHED: "make_published"}
_GRANIAN: Final = "-m granian --interface wsgi --factory --no-ws --workers 2 --blocking-threads 8"


class Bench:
	"""What is measured, and the rows of the table."""

	def __init__(self, options: argparse.Namespace, folder: Path, stack: ExitStack) -> None:
		self.options, self._folder, self._stack = options, folder, stack
		self.rows: list[Sequence[str]] = []
		self._applications = simulate_applications(10_000)
		self._api = self._start_api("ours")
		self._requests = render_scoring(self._applications.head(2_000), self._api.headers)

	def start(self) -> None:
		"""Start to ready, and memory then."""
		seconds = []
		for _ in range(self.options.rounds):
			self._api.stop()
			self._api.start()
			seconds.append(self._api.seconds_to_ready)
		self._add("start to ready, s", _tell(seconds, 1), "at most 5")
		self._add_peak("largest process then")

	def capacity(self) -> None:
		"""Closed loop: as much as each side takes."""
		sides = {_OURS: self._api} | {name: self._start_baseline(name) for name in _FACTORIES}
		rates, costs = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
		for side in [*sides] * self.options.rounds:
			first = sides[side].list_processes()[0]
			before = cpu_of_tree(first)
			load = self._send_all(sides[side])
			rates[side].append(load.rate)
			costs[side].append((cpu_of_tree(first) - before) / len(load.status) * 1e6)
		for side, found in rates.items():
			cost = f"{median(costs[side]):,.0f} µs of the processor each"
			self._add(f"{side}: requests a second", f"{_tell(found)}; {cost}")
		for side, least in {_CONSTANT: 0.5, _PUBLISHED: 20.0}.items():
			ratios = [a / b for a, b in zip(rates[_OURS], rates[side], strict=True)]
			self._add(f"{_OURS}, times {side}", _tell(ratios, 2), f"at least {least:g}")

	def latency(self) -> None:
		"""Open loop at 80% of the capacity, round after round: times, errors, and how memory grows."""
		rate, rounds, seconds = 0.8 * self._find_capacity(), self.options.rounds, self.options.seconds
		loads, sizes = [], []
		self._api.take_peak()
		for _ in range(rounds):
			loads.append(self._send(seconds, rate))
			sizes.append(sum(status_mib(process, "VmRSS") for process in self._api.list_processes()))
		p50, p99 = ([load.take_quantile(share) for load in loads] for share in (0.5, 0.99))
		total = sum(len(load.status) + load.unsent for load in loads)
		self._add(
			f"{rounds} times {seconds:g} s at {rate:,.0f} requests a second",
			f"median {median(p50):.1f} ms, 99% within {_tell(p99, 1)} ms; "
			f"{sum(load.errors for load in loads):,} errors of {total:,}",
			f"{_MOST_P99_MS:g} ms, no error",
		)
		growth = sizes[-1] / sizes[min(1, rounds - 1)] - 1
		self._add("  growth of memory from the second round to the last", f"{growth:+.1%}", "at most 5%")
		self._add_peak("  largest process meanwhile")

	def batch(self) -> None:
		"""Rows a second, from the first byte sent to the last received."""
		rows = self._applications
		self._api.take_peak()
		for name, kind, body in (
			("JSON", "application/json", json.dumps({"applications": list_applications(rows)})),
			("CSV", "text/csv", rows.to_csv(index=False)),
		):
			named = self._api.headers | {"Content-Type": kind, "Accept": kind}
			request = render_request("POST", "/v1/applications/score-batch", named, body.encode())
			rates = []
			for _ in range(self.options.rounds):
				began = perf_counter()
				answer = ask(self._api.port, request)
				rates.append(len(rows) / (perf_counter() - began))
				if answer.status != 200:
					raise RuntimeError(f"{name}: {answer.status} {answer.body[:500]!r}")
			self._add(f"batch of {len(rows):,} in {name}: rows a second", _tell(rates), "at least 50,000")
		self._add_peak("  largest process meanwhile")

	def kill(self) -> None:
		"""Kill -9 under load, compare answers with the log, verify the chain each time."""
		api, draw = self._start_api("killed"), random.Random(20_261_128)  # noqa: S311
		requests = render_scoring(self._applications.head(2_000), api.headers)
		found, ready = Counter[str](), []
		for number in range(self.options.kills):
			found.update(kill_under_load(api, requests, f"kill{number}", draw.uniform(0.5, 2.5)))
			ready.append(api.seconds_to_ready)
			chain = api.verify()
			if not chain.is_ok:
				raise RuntimeError(f"after kill {number + 1} the chain fails: {chain.fault}")
		counts = ", ".join(f"{n:,} {kind}" for kind, n in found.items())
		told = f"{counts}; the chain of {chain.n:,} records holds after each"
		self._add(f"kill -9 under load, {len(ready)} times", told, "no fault")
		self._add("  ready again, s", _tell(ready, 1), "at most 5")

	def overload(self) -> None:
		"""Three times the capacity; at half of it before, and after until all is normal."""
		capacity = self._find_capacity()
		before = self._send(5.0, capacity / 2)
		normal = max([_MOST_P99_MS, *(p99 for _, p99, _ in _list_windows(before))])
		processes, began = self._api.list_processes(), perf_counter()
		load = self._send(10.0, 3 * capacity, 1_000)
		waited = perf_counter() - began - load.seconds
		recovery = waited + find_recovery(self._send(10.0, capacity / 2), normal)
		refused = {status: n for status, n in load.counts.items() if status in (429, 503)}
		others = len(load.status) - sum(refused.values()) - load.counts[200]
		slowest = max((load.take_quantile(0.99, status) for status in refused), default=0.0)
		self._add(
			"3 times the capacity for 10 s",
			f"{load.rate:,.0f} answered, {sum(refused.values()) / load.seconds:,.0f} refused a "
			f"second, {load.unsent:,} without a connection; 99% answered within "
			f"{load.take_quantile(0.99):,.0f} ms, refused within {slowest:,.0f} ms",
		)
		lost = len(set(processes) - set(self._api.list_processes()))
		self._add("  neither answered nor refused, processes lost", f"{others}, {lost}", "none")
		self._add(f"  back to normal (99% within {normal:.0f} ms), s", f"{recovery:.1f}", "at most 5")

	def _add(self, what: str, told: str, asked: str = "") -> None:
		self.rows.append((what, told, asked))

	def _add_peak(self, what: str) -> None:
		self._add(f"{what}, MiB", f"{self._api.take_peak():,.0f}", "at most 477 (500 MB)")

	def _send(self, seconds: float, rate: float, connections: int = 128) -> Load:
		return send(self._api.port, cycle(self._requests), seconds, connections, rate)

	def _send_all(self, server: Server) -> Load:
		load = send(server.port, cycle(self._requests), self.options.seconds)
		if load.errors or not len(load.status):
			raise RuntimeError(f"not all was answered with success: {load.counts}")
		return load

	def _find_capacity(self) -> float:
		"""Anew for each part: the machine is not always the same."""
		return median(self._send_all(self._api).rate for _ in range(3))

	def _start_api(self, name: str) -> LoanTapApi:
		folder = self._folder / name
		folder.mkdir()
		settings = {"LOANTAP_WORKERS": "2", "LOANTAP_THREADS": "128"}
		return self._stack.enter_context(LoanTapApi(self.options.project.resolve(), folder, settings))

	def _start_baseline(self, name: str) -> Server:
		port, target = free_port(), f"tools.load.baselines:{_FACTORIES[name]}"
		command = [sys.executable, *_GRANIAN.split(), "--port", str(port), target]
		server = Server(command, port, environment(), self._folder / f"{_FACTORIES[name]}.log")
		return self._stack.enter_context(server)


def main() -> None:
	"""Measure and print."""
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("--project", type=Path, default=Path(), help="served; after make run")
	parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
	parser.add_argument("--rounds", type=int, default=5, help="of each figure")
	parser.add_argument("--seconds", type=float, default=4.0, help="of a round")
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


def find_recovery(load: Load, most_ms: float = _MOST_P99_MS) -> float:
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
