"""A server in processes of its own: started, watched, killed."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final, Self

from tools.load.exchange import HOST, BrokenAnswerError, ask, render_request

_PAUSE: Final = 0.02
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_STOP_SECONDS: Final = 20.0


class Server:
    """A command that serves on a port of this machine, with its workers.

    Args:
        command: what starts it.
        port: where it listens.
        environment: of its processes.
        ready_path: answers 200 when the server can do its work.
        log: where it writes what it has to say.
        folder: the working directory.

    Attributes:
        seconds_to_ready: from the start to the first 200.
    """

    def __init__(
        self,
        command: Sequence[str],
        port: int,
        environment: Mapping[str, str],
        ready_path: str,
        log: Path,
        folder: Path | None = None,
    ) -> None:
        self.port = port
        self.seconds_to_ready = 0.0
        self._command = list(command)
        self._environment = dict(environment)
        self._ready_path = ready_path
        self._log = log
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, seconds: float = 60.0) -> None:
        """Start it and wait until it is ready.

        Raises:
            RuntimeError: it ended, or was not ready in time; with the end of what it wrote.
        """
        started = time.perf_counter()
        self._output = self._log.open("ab")
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a group of its own, which can be killed as a whole
        )
        try:
            self._wait_until_ready(started + seconds)
        except BaseException:  # Ctrl-C too leaves no process behind
            self.kill()
            raise
        self.seconds_to_ready = time.perf_counter() - started

    def _wait_until_ready(self, end: float) -> None:
        while not self.is_ready():
            if not self.is_running() or time.perf_counter() > end:
                said = self._log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self._command[0]} was not ready; it wrote: {said}")
            time.sleep(_PAUSE)

    def is_ready(self) -> bool:
        """Whether it says so."""
        with contextlib.suppress(OSError, BrokenAnswerError):
            return ask(self.port, render_request("GET", self._ready_path), 5.0).status == 200
        return False

    def is_running(self) -> bool:
        """Whether its first process lives."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Ask it to end, and kill what doesn't."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """Kill -9, all of its processes at once."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
        if self._output is not None:
            self._output.close()
            self._output = None

    def list_processes(self) -> list[int]:
        """Its processes, the first one first."""
        if self._process is None:
            return []
        found = [self._process.pid]
        for parent in found:
            for children in Path(f"/proc/{parent}/task").glob("*/children"):
                with contextlib.suppress(OSError):
                    found += map(int, children.read_text().split())
        return found

    def measure_cpu(self) -> float:
        """Processor seconds of all of its processes until now."""
        ticks = 0
        for process in self.list_processes():
            with contextlib.suppress(OSError):
                text = Path(f"/proc/{process}/stat").read_text()
                ticks += sum(map(int, text.rpartition(")")[2].split()[11:15]))
        return ticks / _TICKS

    def measure_memory(self) -> list[float]:
        """Resident MiB of each of its processes (what they share counts in each)."""
        sizes = []
        for process in self.list_processes():
            with contextlib.suppress(OSError):
                lines = Path(f"/proc/{process}/status").read_text().splitlines()
                sizes += [int(x.split()[1]) / 1024 for x in lines if x.startswith("VmRSS:")]
        return sizes


class Watch:
    """Reads the memory of a server again and again while something else happens.

    Args:
        server: that is watched.
        seconds: between two readings.
        tell: is told of each reading, in words.

    Attributes:
        sizes: MiB of all processes together, one for each reading.
        largest: MiB of the largest process ever seen.
    """

    def __init__(
        self, server: Server, seconds: float = 1.0, tell: Callable[[str], object] = lambda _: None
    ) -> None:
        self.sizes: list[float] = []
        self.largest = 0.0
        self._server = server
        self._seconds = seconds
        self._tell = tell
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def compare(self) -> float:
        """Growth: the mean of the last tenth against that of the second, as a share.

        In the first tenth a server warms up: caches fill, connections open.
        """
        tenth = max(len(self.sizes) // 10, 1)
        early, late = self.sizes[tenth : 2 * tenth], self.sizes[-tenth:]
        return sum(late) / len(late) / (sum(early) / len(early)) - 1 if early else 0.0

    def _read(self) -> None:
        while True:
            sizes = self._server.measure_memory()
            self.sizes.append(sum(sizes))
            self.largest = max([self.largest, *sizes])
            self._tell(f"{len(self.sizes) * self._seconds:,.0f} s, {self.sizes[-1]:,.0f} MiB")
            if self._is_over.wait(self._seconds):
                return


class OtherWork:
    """How many cores others kept busy meanwhile: neither some servers nor this process.

    Attributes:
        cores: known at the end.
    """

    def __init__(self, servers: Sequence[Server]) -> None:
        self.cores = 0.0
        self._servers = servers

    def __enter__(self) -> Self:
        self._began = time.perf_counter(), self._measure()
        return self

    def __exit__(self, *_: object) -> None:
        at, others = self._began
        self.cores = max(self._measure() - others, 0.0) / (time.perf_counter() - at)

    def _measure(self) -> float:
        """Processor seconds of all others until now."""
        ours = sum(server.measure_cpu() for server in self._servers) + sum(os.times()[:2])
        return measure_machine() - ours


def measure_machine() -> float:
    """Processor seconds of all that ran on this machine; time that a host took away is in it."""
    ticks = list(map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]))
    idle = sum(ticks[3:5])
    return (sum(ticks) - idle) / _TICKS


def find_port() -> int:
    """One that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def kill_after(server: Server, seconds: float) -> Iterator[threading.Event]:
    """Kill -9 in so many seconds; the event is set when it has happened."""
    happened = threading.Event()

    def kill() -> None:
        server.kill()
        happened.set()

    timer = threading.Timer(seconds, kill)
    timer.start()
    try:
        yield happened
    finally:
        timer.cancel()
        timer.join()
