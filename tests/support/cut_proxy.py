"""A loopback TCP proxy that cuts, stalls or slows connections, as a bad network does."""

import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Self

_CHUNK = 65_536
# Of a slow line: the pauses between chunks are short.
_SLOW_CHUNK = 4_096
# Close with a reset rather than in good order.
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class _Line:
  cut_after: int | None = None
  stall_after: int | None = None
  bytes_per_s: int | None = None


class CutProxy:
  """Forwards to a port on 127.0.0.1 and can stop doing so, or be slow.

  Args:
      target: port to forward to.
      cut_after: bytes from the server after which each connection is cut; never when absent.
      stall_after: bytes from the server after which no more comes, the connection staying open.
      cuts: number of connections that `cut_after` applies to; all when absent.
      bytes_per_s: how much from the server is handed on, steadily; all at once when absent.
  """

  def __init__(
    self,
    target: int,
    *,
    cut_after: int | None = None,
    stall_after: int | None = None,
    cuts: int | None = None,
    bytes_per_s: int | None = None,
  ) -> None:
    self._target = target
    self._line = _Line(cut_after, stall_after, bytes_per_s)
    self._cuts_left = cuts
    self._sockets: list[socket.socket] = []
    self._listener = socket.create_server(("127.0.0.1", 0))
    self.port: int = self._listener.getsockname()[1]
    self.connections = 0

  def __enter__(self) -> Self:
    threading.Thread(target=self._accept, daemon=True).start()
    return self

  def __exit__(self, *_: object) -> None:
    with suppress(OSError):
      self._listener.shutdown(socket.SHUT_RDWR)
    self._listener.close()
    for connection in self._sockets:
      _reset(connection)

  def _accept(self) -> None:
    while True:
      try:
        client, _ = self._listener.accept()
        server = socket.create_connection(("127.0.0.1", self._target))
      except OSError:
        return
      self.connections += 1
      for connection in (client, server):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
      self._sockets += [client, server]
      line = self._line
      if self._cuts_left is not None:
        line = line if self._cuts_left else replace(line, cut_after=None)
        self._cuts_left = max(self._cuts_left - 1, 0)
      for arguments in ((client, server, _Line()), (server, client, line)):
        threading.Thread(target=_forward, args=arguments, daemon=True).start()


def _forward(source: socket.socket, sink: socket.socket, line: _Line) -> None:
  passed = 0
  try:
    while chunk := source.recv(_SLOW_CHUNK if line.bytes_per_s else _CHUNK):
      passed += len(chunk)
      if line.cut_after is not None and passed > line.cut_after:
        break
      if line.stall_after is not None and passed > line.stall_after:
        return
      if line.bytes_per_s is not None:
        # A short answer is handed on at once: it is the rows that are to take their time.
        time.sleep(len(chunk) / line.bytes_per_s)
      sink.sendall(chunk)
  except OSError:
    pass
  for end in (source, sink):
    _reset(end)


def _reset(connection: socket.socket) -> None:
  with suppress(OSError):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
  with suppress(OSError):
    connection.shutdown(socket.SHUT_RDWR)
  connection.close()
