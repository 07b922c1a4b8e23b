"""Time and memory of a Python process and its children."""

import os
import resource
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_INTERVAL_SECONDS = 0.2
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Measured:
    """Wall time of the whole process, and the largest proportional set size of its tree (Linux).

    `cpu_seconds` is the time on the processor of all of them, which other work on the machine does
    not stretch.
    """

    seconds: float
    peak_mib: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What a stretch of a process took.

    Attributes:
        seconds: by the clock.
        cpu_seconds: of all cores, children included.
        peak_mib: the most memory held at once.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: float


class Meter:
    """Reads what a running process takes, stretch by stretch (Linux).

    Args:
        pid: of the process.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._started = time.perf_counter()
        self._cpu_seconds = 0.0
        self._tree_peak = 0
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
        used = self._measure(_cpu_of_tree(self._pid), _peak_of(self._pid))
        # The most so far starts again from what there is now.
        Path(f"/proc/{self._pid}/clear_refs").write_text("5")
        return used

    def finish(self, process: subprocess.Popen[str]) -> Usage:
        """Wait for the end; since the last reading."""
        # One that has ended has no memory any more, and still its processor time.
        cpu_seconds, peak = _cpu_of_tree(self._pid), _peak_of(self._pid)
        while not os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
            cpu_seconds, peak = _cpu_of_tree(self._pid), _peak_of(self._pid)
            time.sleep(_INTERVAL_SECONDS)
        used = self._measure(cpu_seconds, peak)
        process.wait()
        return used

    def _measure(self, cpu_seconds: float, peak: int) -> Usage:
        now = time.perf_counter()
        used = Usage(
            now - self._started,
            cpu_seconds - self._cpu_seconds,
            max(peak, self._tree_peak) / 1024,
        )
        self._started, self._cpu_seconds, self._tree_peak = now, cpu_seconds, 0
        return used

    def _watch(self) -> None:
        while not self._is_over.wait(_INTERVAL_SECONDS):
            self._tree_peak = max(self._tree_peak, _memory_of_tree(self._pid))


def environment() -> dict[str, str]:
    """Of a process that is measured: one BLAS thread, and this project's code."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    own = {"PYTHONPATH": os.pathsep.join(paths), "PYTHONWARNINGS": "ignore"}
    return os.environ | one_thread | own


def run_measured(arguments: list[str]) -> Measured:
    """Run `python arguments` with one BLAS thread per process, and watch its memory."""
    started, before = time.perf_counter(), _cpu_of_children()
    process = subprocess.Popen([sys.executable, *arguments], env=environment())
    peak = 0
    while process.poll() is None:
        # A process that has just ended has no memory left to tell of.
        peak = max(peak, _peak_of(process.pid), _memory_of_tree(process.pid))
        time.sleep(_INTERVAL_SECONDS)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(process.returncode)
    return Measured(seconds, peak / 1024, _cpu_of_children() - before)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _memory_of_tree(pid: int) -> int:
    """Proportional set size in KiB of a process with children, which share pages; 0 without.

    To read it takes a tenth of a second for a process of some GiB, which waits meanwhile. One that
    is alone has a largest resident set, which costs nothing to read.
    """
    total = 0
    members = _tree(pid)
    for member in members if len(members) > 1 else []:
        try:
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
        except (OSError, ValueError):  # it has just ended
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total


def _peak_of(pid: int) -> int:
    """Largest resident set of a process in KiB, since it was last reset; 0 when it has ended."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def _cpu_of_tree(pid: int) -> float:
    """Processor seconds of a process and its children, those that have ended included."""
    ticks = 0
    for member in _tree(pid):
        try:
            text = Path(f"/proc/{member}/stat").read_text()
        except OSError:  # it has just ended
            continue
        # After the name, which may hold spaces: utime, stime, cutime, cstime.
        ticks += sum(map(int, text.rpartition(")")[2].split()[11:15]))
    return ticks / _TICKS


def _tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        # Java starts processes from any of its threads.
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:  # it has just ended
                continue
    return found
