"""Sends requests to a server of this machine and notes what came back, and when.

Closed loop: a connection sends when it has its last answer, as fast as the server can. Open loop: requests are due at
random times of a given rate, and answers are timed from then, so a halt doesn't hide who had to wait. One thread
polls sockets itself: the server needs the processor too.
"""

import math
import random
import re
import select
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from loantap.portfolio.arrays import BoolArray, FloatArray

LOST: Final = 0  # the status of a request whose connection ended without an answer
_HOST: Final = "127.0.0.1"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD_END: Final = b"\r\n\r\n"
_RECEIVED_AT_ONCE: Final = 1 << 18
_POLL_SECONDS: Final = 0.05
_PATIENCE_SECONDS: Final = 10.0  # for answers, when nothing is sent any more

# A request's number, its status, and its body, empty when lost.
Listener = Callable[[int, int, bytes], object]


class Answer(NamedTuple):
	"""What a server answered: the status of HTTP and the body."""

	status: int
	body: bytes


@dataclass(frozen=True, slots=True)
class Load:
	"""What came back, in the order of the answers.

	Attributes:
		seconds: from the first request until the last was sent.
		unsent: requests that were due and found no free connection until the end.
		status: of each answer, `LOST` where none came.
		since_due: seconds from when a request was due to its answer.
		answered_at: seconds from the beginning to the answer.
	"""

	seconds: float
	unsent: int
	status: npt.NDArray[np.int64]
	since_due: FloatArray
	answered_at: FloatArray

	@property
	def counts(self) -> Counter[int]:
		"""How many answers of each status."""
		return Counter(self.status.tolist())

	@property
	def is_good(self) -> BoolArray:
		"""Whether each answer has a status of success."""
		return np.asarray((self.status >= 200) & (self.status < 300))

	@property
	def rate(self) -> float:
		"""Answers a second with a status of success, within the time of sending."""
		return float((self.is_good & (self.answered_at <= self.seconds)).sum() / self.seconds)

	@property
	def errors(self) -> int:
		"""How many requests were not answered with success."""
		return int((~self.is_good).sum()) + self.unsent

	def take_quantile(self, share: float, status: int = 200) -> float:
		"""Milliseconds within which a share of the answers of a status came; NaN without any."""
		taken = self.since_due[self.status == status]
		return float(np.quantile(taken, share) * 1e3) if len(taken) else math.nan


def render_request(method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
	"""The bytes of a request, made once and sent often."""
	lines = [f"{method} {path} HTTP/1.1", f"Host: {_HOST}", f"Content-Length: {len(body)}"]
	lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
	return "\r\n".join([*lines, "", ""]).encode() + body


def ask(port: int, request: bytes, seconds: float = 60.0) -> Answer:
	"""Send one request on a connection of its own, and wait for the answer.

	Raises:
		OSError: nobody listens, the connection ended, or nothing came for so many seconds.
	"""
	with socket.create_connection((_HOST, port), timeout=seconds) as opened:
		opened.sendall(request)
		connection = _Connection(opened)
		while (answer := connection.receive()) is None:
			pass
	return answer


def send(
	port: int,
	requests: Iterator[bytes],
	seconds: float,
	connections: int = 32,
	rate: float | None = None,
	listen: Listener = lambda *_: None,
	until: Callable[[], bool] = lambda: False,
) -> Load:
	"""Send requests for so many seconds, and wait for their answers, of which `listen` is told each.

	At a rate (None: closed loop), on at most so many connections. They end sooner when there are no more, or when
	`until` says so.
	"""
	generator = _Generator(port, enumerate(requests), connections, listen)
	with select.epoll() as generator.poll:
		return generator.run(seconds, rate, until)


@dataclass(slots=True, eq=False)
class _Connection:
	socket: socket.socket
	number: int = -1
	due: float = 0.0
	received: bytearray = field(default_factory=bytearray)

	def receive(self) -> Answer | None:
		"""The answer, when what came completes it; raises OSError where none can come any more."""
		part = self.socket.recv(_RECEIVED_AT_ONCE)
		if not part:
			raise ConnectionResetError("the connection ended before the answer did")
		self.received += part
		end = self.received.find(_HEAD_END)
		if end < 0:
			return None
		head = bytes(self.received[: end + 2])
		length = _LENGTH.search(head)
		if length is None or not head.startswith(b"HTTP/1.1 "):
			raise ConnectionAbortedError(f"not an answer with a length: {head[:200]!r}")
		start = end + len(_HEAD_END)
		if len(self.received) - start < int(length[1]):
			return None
		body = bytes(self.received[start:])
		self.received.clear()
		return Answer(int(head[9:12]), body)


@dataclass
class _Generator:
	port: int
	requests: Iterator[tuple[int, bytes]]
	connections: int
	listen: Listener
	poll: select.epoll = field(init=False)
	open: dict[int, _Connection] = field(default_factory=dict)
	idle: deque[_Connection] = field(default_factory=deque)
	waiting: deque[float] = field(default_factory=deque)  # when requests were due that have no connection
	answers: list[tuple[int, float, float]] = field(default_factory=list)

	def run(self, seconds: float, rate: float | None, until: Callable[[], bool]) -> Load:
		began = time.perf_counter()
		try:
			self._send_all(began, began + seconds, rate, until)
			ended = time.perf_counter()
			while self._list_busy() and time.perf_counter() < ended + _PATIENCE_SECONDS:
				self._receive(_POLL_SECONDS)
			for connection in self._list_busy():
				self._lose(connection)
		finally:
			for connection in self.open.values():
				connection.socket.close()
		status, since_due, at = np.array(self.answers).reshape(-1, 3).T
		return Load(ended - began, len(self.waiting), status.astype(np.int64), since_due, at - began)

	def _send_all(self, began: float, end: float, rate: float | None, until: Callable[[], bool]) -> None:
		draw = random.Random(7)  # noqa: S311
		next_due = began if rate else math.inf
		while (now := time.perf_counter()) < end and not until():
			while rate and next_due <= now:
				self.waiting.append(next_due)
				next_due += draw.expovariate(rate)
			while (self.waiting or not rate) and (connection := self._find_idle()) is not None:
				numbered = next(self.requests, None)
				if numbered is None:
					self.idle.append(connection)
					return
				connection.number, request = numbered
				connection.due = self.waiting.popleft() if rate else now
				try:
					connection.socket.sendall(request)
				except OSError:
					self._lose(connection)
			self._receive(min(max(next_due - now, 0.0), _POLL_SECONDS))

	def _find_idle(self) -> _Connection | None:
		if self.idle:
			return self.idle.popleft()
		if len(self.open) >= self.connections:
			return None
		try:
			opened = socket.create_connection((_HOST, self.port), timeout=_PATIENCE_SECONDS)
		except OSError:
			return None
		opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		self.poll.register(opened.fileno(), select.EPOLLIN)
		self.open[opened.fileno()] = _Connection(opened)
		return self.open[opened.fileno()]

	def _list_busy(self) -> list[_Connection]:
		return [connection for connection in self.open.values() if connection.number >= 0]

	def _receive(self, seconds: float) -> None:
		for descriptor, _ in self.poll.poll(seconds):
			if (connection := self.open.get(descriptor)) is None:
				continue
			try:
				answer = connection.receive()
			except OSError:
				self._lose(connection)
				continue
			if answer is not None:
				self._note(connection, answer)
				self.idle.append(connection)

	def _note(self, connection: _Connection, answer: Answer) -> None:
		now = time.perf_counter()
		self.answers.append((answer.status, now - connection.due, now))
		self.listen(connection.number, *answer)
		connection.number = -1

	def _lose(self, connection: _Connection) -> None:
		"""The server ended the connection: a request on it is lost."""
		descriptor = connection.socket.fileno()
		self.poll.unregister(descriptor)
		del self.open[descriptor]
		connection.socket.close()
		if connection.number >= 0:
			self._note(connection, Answer(LOST, b""))
		else:
			self.idle.remove(connection)
