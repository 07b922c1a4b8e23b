"""Servers as processes that outlive the one that started them and are ended by their number."""

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_PAUSE_S = 0.05
# Below those that the system hands out (32,768 on Linux), of which any may be taken while its server is down.
_PORTS = range(20_000, 32_000)


@dataclass(frozen=True, slots=True)
class Process:
  """A process with its children, known by number and by when it began.

  Attributes:
      pid: its number, which is also that of its process group.
      began: clock ticks after the machine's start; a number that was given anew differs here.
  """

  pid: int
  began: int

  @classmethod
  def start(
    cls,
    command: Sequence[str | Path],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
    pass_fds: Sequence[int] = (),
  ) -> Self:
    """Start a command in a session of its own, in the folder of its `log` if in no other."""
    with log.open("w") as output:
      child = subprocess.Popen(
        [str(part) for part in command],
        cwd=folder or log.parent,
        env=os.environ | (env or {}),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=pass_fds,
        start_new_session=True,
      )
    # Looked after by number; Popen would warn that nobody does.
    child.returncode = 0
    return cls(child.pid, _began(child.pid) or 0)

  @property
  def is_running(self) -> bool:
    """Whether it runs still."""
    with suppress(ChildProcessError):
      os.waitpid(self.pid, os.WNOHANG)  # it may be a child of ours that has ended
    return _began(self.pid) == self.began

  def end(self, *, within_s: float = 10) -> None:
    """Ask it and its children to end, and make them when they have not in time."""
    for order in (signal.SIGTERM, signal.SIGKILL):
      if not self.is_running:
        return
      self.send(order)
      deadline = time.monotonic() + within_s
      while self.is_running and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)

  def send(self, order: signal.Signals) -> None:
    """Send a signal to it and its children."""
    with suppress(ProcessLookupError):
      os.killpg(self.pid, order)

  def wait_for_port(self, port: int, log: Path, *, within_s: float) -> None:
    """Return when something answers on a port of loopback.

    Raises:
        RuntimeError: the process ended, or time is up; with the end of its log.
    """
    deadline = time.monotonic() + within_s
    while self.is_running and time.monotonic() < deadline:
      try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
      except OSError:
        time.sleep(_PAUSE_S)
      else:
        return
    self.end()
    raise RuntimeError(f"no answer on port {port} within {within_s} s: {read_end(log)}")


def read_end(log: Path) -> str:
  """The last lines of a log."""
  return log.read_text(errors="replace")[-2_000:] if log.exists() else ""


def _began(pid: int) -> int | None:
  """None when there is none, or nothing left of it but its number."""
  try:
    stat = Path(f"/proc/{pid}/stat").read_text()
  except FileNotFoundError:
    return None
  # The program's name, in brackets, may hold anything.
  state, *fields = stat.rpartition(")")[2].split()
  return None if state in {"Z", "X"} else int(fields[18])


def free_port() -> int:
  """A free port on 127.0.0.1, which is never handed out to others."""
  while True:
    port = secrets.choice(_PORTS)
    with suppress(OSError), socket.socket() as listener:
      listener.bind(("127.0.0.1", port))
      return port
