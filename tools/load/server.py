"""A server in processes of its own: started, measured, killed."""

import contextlib
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from tools.benchmarks.measured import cpu_of_tree, list_tree, reset_peak, status_mib
from tools.load.exchange import BrokenAnswerError, ask, render_request
from tools.sources.processes import Process, read_end

_READY: Final = render_request("GET", "/readyz")
_PAUSE: Final = 0.02
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 20.0


@dataclass
class Server:
    """A command that serves on a port of this machine, with its workers.

    Attributes:
        port: where it listens; `/readyz` answers 200 when it can do its work.
        log: where it writes what it has to say.
        folder: the working directory.
        seconds_to_ready: from the start to the first 200.
    """

    command: Sequence[str]
    port: int
    environment: Mapping[str, str]
    log: Path
    folder: Path | None = None
    seconds_to_ready: float = 0.0
    _process: Process | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            RuntimeError: it ended, or was not ready in time; with the end of what it wrote.
        """
        started = time.perf_counter()
        self._process = Process.start(self.command, self.log, env=self.environment, folder=self.folder)
        try:
            self._wait_until_ready(started + _START_SECONDS)
        except BaseException:  # Ctrl-C too leaves no process behind
            self.kill()
            raise
        self.seconds_to_ready = time.perf_counter() - started

    def _wait_until_ready(self, end: float) -> None:
        while not self.is_ready():
            if self._process is None or not self._process.is_running or time.perf_counter() > end:
                raise RuntimeError(f"{self.command[0]} was not ready; it wrote: {read_end(self.log)}")
            time.sleep(_PAUSE)

    def is_ready(self) -> bool:
        """Whether it says so."""
        with contextlib.suppress(OSError, BrokenAnswerError):
            return ask(self.port, _READY, 5.0).status == 200
        return False

    def stop(self) -> None:
        """Ask it to end, and kill what doesn't."""
        if self._process is not None:
            self._process.end(within_s=_STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """Kill -9, all of its processes at once."""
        if self._process is not None:
            self._process.send(signal.SIGKILL)
            self._process.end()
            self._process = None

    def list_processes(self) -> list[int]:
        """Its processes, the first one first."""
        return list_tree(self._process.pid) if self._process is not None else []

    def measure_cpu(self) -> float:
        """Processor seconds of all of its processes until now."""
        return cpu_of_tree(self._process.pid) if self._process is not None else 0.0

    def measure_memory(self) -> float:
        """Resident MiB of its processes together (what they share counts in each)."""
        return sum(status_mib(process, "VmRSS") for process in self.list_processes())

    def take_peak(self) -> float:
        """The most resident MiB of one of its processes since this was last asked."""
        processes = self.list_processes()
        peak = max(status_mib(process, "VmHWM") for process in processes)
        for process in processes:
            reset_peak(process)
        return peak
