"""A loopback TCP proxy that cuts or stalls connections, as a bad network does."""

import socket
import struct
import threading
from contextlib import suppress

_CHUNK = 65_536
# Close with a reset rather than in good order.
_RESET = struct.pack("ii", 1, 0)


class CutProxy:
	"""Forwards to a port on 127.0.0.1 and can stop doing so.

	Args:
		target: port to forward to.
		cut_after: bytes from the server after which each connection is cut; never when absent.
		stall_after: bytes from the server after which no more comes, the connection staying open.
		cuts: number of connections that `cut_after` applies to; all when absent.
	"""

	def __init__(self, target, *, cut_after=None, stall_after=None, cuts=None):
		self._target = target
		self._cut_after, self._stall_after = cut_after, stall_after
		self._cuts_left = cuts
		self._sockets: list[socket.socket] = []
		self._listener = socket.create_server(("127.0.0.1", 0))
		self.port: int = self._listener.getsockname()[1]
		self.connections = 0

	def __enter__(self):
		threading.Thread(target=self._accept, daemon=True).start()
		return self

	def __exit__(self, *_):
		with suppress(OSError):
			self._listener.shutdown(socket.SHUT_RDWR)
		self._listener.close()
		for connection in self._sockets:
			_reset(connection)

	def _accept(self):
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
			cut_after = self._cut_after
			if self._cuts_left is not None:
				cut_after = cut_after if self._cuts_left else None
				self._cuts_left = max(self._cuts_left - 1, 0)
			for arguments in ((client, server, None, None), (server, client, cut_after, self._stall_after)):
				threading.Thread(target=_forward, args=arguments, daemon=True).start()


def _forward(source, sink, cut_after, stall_after):
	passed = 0
	try:
		while chunk := source.recv(_CHUNK):
			passed += len(chunk)
			if cut_after is not None and passed > cut_after:
				break
			if stall_after is not None and passed > stall_after:
				return
			sink.sendall(chunk)
	except OSError:
		pass
	for end in (source, sink):
		_reset(end)


def _reset(connection):
	with suppress(OSError):
		connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
	with suppress(OSError):
		connection.shutdown(socket.SHUT_RDWR)
	connection.close()
