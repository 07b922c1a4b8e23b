"""Servers that are kept in a folder, and found again by it."""

import json
import secrets
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

from tools.sources.processes import Process, free_port

_PROJECT = Path(__file__).parents[2]


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
