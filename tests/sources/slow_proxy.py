"""A loopback TCP proxy that hands on what a server sends steadily, but slowly."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Self

_CHUNK = 4_096


class SlowProxy:
    """Forwards to a port on 127.0.0.1 as a line of little capacity does.

    Args:
        target: port to forward to.
        bytes_per_s: how much of what the server sends is handed on.
    """

    def __init__(self, target: int, *, bytes_per_s: int) -> None:
        self._target = target
        self._pause_s = _CHUNK / bytes_per_s
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        """Listen."""
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Refuse new connections and end the open ones."""
        for end in (self._listener, *self._sockets):
            _close(end)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            self._sockets += [client, server]
            for ends in ((client, server, 0.0), (server, client, self._pause_s)):
                threading.Thread(target=_forward, args=ends, daemon=True).start()


def _forward(source: socket.socket, sink: socket.socket, pause_s: float) -> None:
    with suppress(OSError):
        while chunk := source.recv(_CHUNK):
            # A short answer is handed on at once: it is the rows that are to take their time.
            time.sleep(pause_s * len(chunk) / _CHUNK)
            sink.sendall(chunk)
    for end in (source, sink):
        _close(end)


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
