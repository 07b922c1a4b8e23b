"""The main job at the size of the book: time and peak memory of every node, and in all.

	python -m tools.benchmarks.bench_full --loans 396030
	python -m tools.benchmarks.bench_full --pipelines sources,ingestion --growth 400000 4000000

A run is `kedro run`, in a process and a project folder of its own. A node's figures, read when it
has ended, include loading and saving. Memory is the larger of the process's resident set and the
proportional set with its children, looked at five times a second.
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

from tools.benchmarks.measured import Meter, Usage, environment, print_table

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
			sum(part.seconds for part in parts), sum(part.cpu_seconds for part in parts), max(part.peak_mib for part in parts)
		)


def main() -> None:
	"""Measure one run, or one of each size."""
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("--loans", type=int, default=396_030)
	parser.add_argument("--pipelines", help="some instead of the whole job")
	parser.add_argument("--growth", type=int, nargs="+", help="sizes, one after another")
	arguments = parser.parse_args()
	run = [str(Path(sys.executable).with_name("kedro")), "run"]
	run += ["--pipelines", arguments.pipelines] if arguments.pipelines else []
	growth = []
	for loans in arguments.growth or [arguments.loans]:
		given = f"loans={loans}"
		with scratch_project() as folder:
			found = watch(folder, [*run, "--params", given], Console(width=100))
		show(given, found)
		each = f"{found.total.cpu_seconds / loans * 1e5:.1f}"
		growth.append((f"{loans:,}", *_figures(found.total), each, f"{found.disk_gib:.1f}"))
	headings = ("loans", "seconds", "processor", "peak MiB", "processor s/100,000", "GiB on disk")
	print_table("Growth", headings, growth)


@contextmanager
def scratch_project() -> Iterator[Path]:
	"""A project folder with the shipped configuration and nothing else."""
	with tempfile.TemporaryDirectory(prefix="bench-full-") as name:
		folder = Path(name)
		shutil.copytree(_PROJECT / "conf", folder / "conf")
		shutil.copy(_PROJECT / "pyproject.toml", folder)
		(folder / "src").mkdir()
		yield folder


def watch(folder: Path, command: list[str], console: Console) -> Run:
	"""Give a command that runs pipelines, telling of each node as it ends."""
	process = subprocess.Popen(
		command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
	)
	nodes: dict[str, Usage] = {}
	said: list[str] = []
	with process, Meter(process) as meter:
		name = _BEFORE
		for line in process.stderr or ():
			said.append(line)
			if found := _ENDED.match(line):
				# Its line ends the start of the process as well.
				name = found["node"]
				nodes[name] = meter.read()
				console.print(f"{name:<50} {nodes[name].seconds:7.1f} s {nodes[name].peak_mib:7,.0f} MiB")
		rest = meter.finish()
	if process.returncode:
		raise SystemExit("".join(said[-40:]))
	if not nodes:
		raise SystemExit("The run named no node: does it still write a line for each?")
	nodes[_AFTER] = rest
	size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
	return Run(nodes, size / 2**30)


def show(given: str, run: Run) -> None:
	"""Every node, and the whole run."""
	nodes = (*run.nodes.items(), ("in all", run.total))
	headings = ("node", "seconds", "processor", "peak MiB")
	rows = [(name, *_figures(usage)) for name, usage in nodes]
	print_table(f"kedro run --params {given}", headings, rows)


def _figures(usage: Usage) -> tuple[str, str, str]:
	return f"{usage.seconds:,.1f}", f"{usage.cpu_seconds:,.1f}", f"{usage.peak_mib:,.0f}"


if __name__ == "__main__":
	main()
