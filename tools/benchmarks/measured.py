"""Time and memory of a Python process and its children (Linux), and the table of a benchmark."""

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from rich.console import Console
from rich.table import Table

_INTERVAL_SECONDS = 0.2
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
	"""What a process, or a stretch of it, took.

	Attributes:
		cpu_seconds: of all cores, children included.
		peak_mib: the larger of the resident set and, with children, the proportional set size.
	"""

	seconds: float
	cpu_seconds: float
	peak_mib: float


class Meter:
	"""Reads what a running process takes, stretch by stretch."""

	def __init__(self, process: subprocess.Popen[Any]) -> None:
		self._process, self._pid = process, process.pid
		self._started = time.perf_counter()
		self._cpu_seconds = self._tree_peak = 0.0
		self._is_over = threading.Event()
		self._watcher = threading.Thread(target=self._watch, daemon=True)

	def __enter__(self) -> Self:
		self._watcher.start()
		return self

	def __exit__(self, *_: object) -> None:
		self._is_over.set()
		self._watcher.join()

	def read(self) -> Usage:
		"""Since the last reading, or the beginning."""
		used = self._measure(cpu_of_tree(self._pid), status_mib(self._pid, "VmHWM"))
		reset_peak(self._pid)
		return used

	def finish(self) -> Usage:
		"""Wait for the end; since the last reading."""
		# It has no memory any more, and still its processor time.
		cpu_seconds, peak = cpu_of_tree(self._pid), status_mib(self._pid, "VmHWM")
		while not os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
			peak = max(peak, status_mib(self._pid, "VmHWM"))
			time.sleep(_INTERVAL_SECONDS / 4)
		used = self._measure(max(cpu_seconds, cpu_of_tree(self._pid)), peak)
		self._process.wait()
		return used

	def _measure(self, cpu_seconds: float, peak: float) -> Usage:
		now = time.perf_counter()
		spent = cpu_seconds - self._cpu_seconds
		used = Usage(now - self._started, spent, max(peak, self._tree_peak))
		self._started, self._cpu_seconds, self._tree_peak = now, cpu_seconds, 0.0
		return used

	def _watch(self) -> None:
		while not self._is_over.wait(_INTERVAL_SECONDS):
			self._tree_peak = max(self._tree_peak, _memory_of_tree(self._pid))


def measure_apart(work: Callable[..., Any], *arguments: Any) -> tuple[Any, Usage]:
	"""Call a function of a module in a process of its own, with one BLAS thread.

	Arguments and result pass as JSON; the result comes with what the process took.
	"""
	module = work.__globals__["__spec__"].name
	with tempfile.TemporaryDirectory() as folder:
		told = Path(folder) / "result.json"
		words = [module, work.__name__, json.dumps(arguments), str(told)]
		command = [sys.executable, "-m", "tools.benchmarks.measured", *words]
		with subprocess.Popen(command, env=environment()) as process, Meter(process) as meter:
			usage = meter.finish()
		if process.returncode:
			raise SystemExit(process.returncode)
		return json.loads(told.read_text()), usage


def environment() -> dict[str, str]:
	"""Of a process that is measured: one BLAS thread, and this project's code."""
	one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
	paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
	own = {"PYTHONPATH": os.pathsep.join(paths), "PYTHONWARNINGS": "ignore"}
	return os.environ | one_thread | own


def time_call(work: Callable[[], object]) -> float:
	"""Seconds that it takes."""
	started = time.perf_counter()
	work()
	return time.perf_counter() - started


def print_table(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
	"""Print rows of text; the first column is on the left, the others on the right."""
	table = Table(title=title, title_justify="left")
	for number, heading in enumerate(headings):
		table.add_column(heading, justify="right" if number else "left")
	for row in rows:
		table.add_row(*row)
	Console(width=140).print(table)


def read_number(doc: str, option: str, default: int) -> int:
	"""The one option of a command whose module says this of itself."""
	parser = argparse.ArgumentParser(description=doc.splitlines()[0])
	parser.add_argument(option, type=int, default=default, dest="number")
	return int(parser.parse_args().number)


def list_tree(pid: int) -> list[int]:
	"""A process and its children, the oldest first."""
	found = [pid]
	for parent in found:
		# Java starts processes from any of its threads.
		for children in Path(f"/proc/{parent}/task").glob("*/children"):
			with suppress(OSError):  # it has just ended
				found += map(int, children.read_text().split())
	return found


def cpu_of_tree(pid: int) -> float:
	"""Processor seconds of a process and its children, those that have ended included."""
	ticks = 0
	for member in list_tree(pid):
		with suppress(OSError):
			text = Path(f"/proc/{member}/stat").read_text()
			# After the name, which may hold spaces: utime, stime, cutime, cstime.
			ticks += sum(map(int, text.rpartition(")")[2].split()[11:15]))
	return ticks / _TICKS


def status_mib(pid: int, name: str) -> float:
	"""MiB of an entry of the process's status, such as `VmRSS`; 0 when it has ended."""
	with suppress(OSError):
		for line in Path(f"/proc/{pid}/status").read_text().splitlines():
			if line.startswith(f"{name}:"):
				return int(line.split()[1]) / 1024
	return 0.0


def reset_peak(pid: int) -> None:
	"""Let `VmHWM` start again from what there is now."""
	with suppress(OSError):
		Path(f"/proc/{pid}/clear_refs").write_text("5")


def _memory_of_tree(pid: int) -> float:
	"""Proportional set size in MiB of a process with children, which share pages; 0 without.

	Alone, a process has a largest resident set, which costs nothing to read.
	"""
	members, total = list_tree(pid), 0
	for member in members if len(members) > 1 else []:
		with suppress(OSError, ValueError):
			lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
			total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
	return total / 1024


def _main(module: str, name: str, arguments: str, told: str) -> None:
	work = getattr(importlib.import_module(module), name)
	Path(told).write_text(json.dumps(work(*json.loads(arguments))))


if __name__ == "__main__":
	_main(*sys.argv[1:])
