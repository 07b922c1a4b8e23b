"""Servers as processes that outlive the one that started them and are ended by their number."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_PAUSE_S = 0.05
# Below those that the system hands out (32,768 on Linux), of which any may be taken while its server is down.
_PORTS = range(20_000, 32_000)
_PROJECT = Path(__file__).parents[2]


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


class KeptServer:
	"""A server that outlives this process: another one can stop it, by the same folder.

	Without a folder it has a temporary one, which goes when the server is stopped.
	"""

	def __init__(self, folder: Path | None = None) -> None:
		self._is_temporary = folder is None
		self.folder = folder or Path(tempfile.mkdtemp(prefix="loantap-source-"))
		self._state = self.folder / "server.json"
		if not self._state.exists():
			self.folder.mkdir(parents=True, exist_ok=True)
			self._state.touch(0o600)
			known = {"port": free_port(), "behind": free_port(), "password": secrets.token_hex(8)}
			self._state.write_text(json.dumps(known))
		self.port: int = self._known["port"]
		self._behind: int = self._known["behind"]  # where the server is, if a front is before it
		self._password: str = self._known["password"]

	def __enter__(self) -> Self:
		self.start()
		return self

	def __exit__(self, *_: object) -> None:
		self.stop()

	def start(self) -> None:
		"""Start the server, made first if it is not there; returns when it answers."""
		raise NotImplementedError

	def halt(self) -> None:
		"""End the server as if it had crashed; `start` brings it back."""
		for pid, began in self._known.get("processes", ()):
			Process(pid, began).end()

	def stop(self) -> None:
		"""End the server and its connections; a temporary folder goes with it."""
		self.halt()
		if self._is_temporary:
			shutil.rmtree(self.folder)

	@property
	def _known(self) -> dict[str, Any]:
		known: dict[str, Any] = json.loads(self._state.read_text())
		return known

	def _start_front(self, server: Process, module: str, *settings: str) -> None:
		"""Start the front of a server that runs; both can be ended from now on."""
		with socket.create_server(("127.0.0.1", self.port), backlog=64) as listener:
			words = ["--socket", str(listener.fileno()), "--behind", str(self._behind), *settings]
			front = Process.start(
				[sys.executable, "-m", module, *words],
				self.folder / "front.log",
				env={"PYTHONPATH": str(_PROJECT)},
				pass_fds=[listener.fileno()],
			)
		processes = [[each.pid, each.began] for each in (front, server)]
		self._state.write_text(json.dumps(self._known | {"processes": processes}))
