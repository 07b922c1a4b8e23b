"""Time and memory of a Python process and its children."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_INTERVAL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Measured:
    """Wall time of the whole process, and the largest proportional set size of its tree (Linux)."""

    seconds: float
    peak_mib: float


def run_measured(arguments: list[str]) -> Measured:
    """Run `python arguments` with one BLAS thread per process, and watch its memory."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    root = Path(__file__).parents[2]
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env=os.environ | one_thread | {"PYTHONPATH": str(root), "PYTHONWARNINGS": "ignore"},
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, _memory_of_tree(process.pid))
        time.sleep(_INTERVAL_SECONDS)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(process.returncode)
    return Measured(seconds, peak / 1024)


def _memory_of_tree(pid: int) -> int:
    """Proportional set size in KiB: pages that processes share are counted once."""
    total = 0
    for member in _tree(pid):
        try:
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
        except (OSError, ValueError):  # it has just ended
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total


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
