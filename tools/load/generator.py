"""Sends requests to a server of this machine and notes what came back, and when.

Closed loop: a connection sends when it has its last answer, as fast as the server can. Open loop:
requests are due at random times of a given rate, and answers are timed from then, so a halt doesn't
hide who had to wait. One thread polls: the server needs the processor too.
"""

import math
import random
import select
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from loantap.portfolio.arrays import BoolArray, FloatArray
from tools.load.exchange import HOST, BrokenAnswerError, read_answer

LOST: Final = 0  # the status of a request whose connection ended without an answer
_RECEIVED_AT_ONCE: Final = 1 << 16
_POLL_SECONDS: Final = 0.05
_PATIENCE_SECONDS: Final = 10.0  # for answers, when nothing is sent any more

# A request's number, its status, and its body, empty when lost.
Listener = Callable[[int, int, bytes], object]


@dataclass(frozen=True, slots=True)
class Sending:
    """For how many seconds, on at most how many connections, at which rate (None: closed loop)."""

    seconds: float
    connections: int = 32
    rate: float | None = None


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


def send(
    port: int,
    requests: Iterator[bytes],
    sending: Sending,
    listen: Listener = lambda *_: None,
    until: Callable[[], bool] = lambda: False,
) -> Load:
    """Send requests, and wait for their answers, of which `listen` is told each.

    They end when there are no more, or when `until` says so.
    """
    return _Generator(port, requests, sending, listen).run(until)


@dataclass(slots=True, eq=False)
class _Connection:
    socket: socket.socket
    number: int = -1
    due: float = 0.0
    received: bytearray = field(default_factory=bytearray)


class _Generator:
    def __init__(self, port: int, requests: Iterator[bytes], sending: Sending, listen: Listener) -> None:
        self._port, self._sending, self._listen = port, sending, listen
        self._requests = enumerate(requests)
        self._poll = select.epoll()
        self._open: dict[int, _Connection] = {}
        self._idle: deque[_Connection] = deque()
        self._waiting: deque[float] = deque()  # when requests were due that have no connection
        self._answers: list[tuple[int, float, float]] = []

    def run(self, until: Callable[[], bool]) -> Load:
        self._began = time.perf_counter()
        try:
            ended = self._send_all(until)
            self._wait_for_the_rest()
        finally:
            for connection in self._open.values():
                connection.socket.close()
            self._poll.close()
        found = np.array(self._answers).reshape(-1, 3)
        return Load(
            ended - self._began,
            len(self._waiting),
            found[:, 0].astype(np.int64),
            found[:, 1],
            found[:, 2] - self._began,
        )

    def _send_all(self, until: Callable[[], bool]) -> float:
        rate = self._sending.rate
        draw = random.Random(7)  # noqa: S311
        next_due = self._began if rate else math.inf
        while (now := time.perf_counter()) < self._began + self._sending.seconds and not until():
            while rate and next_due <= now:
                self._waiting.append(next_due)
                next_due += draw.expovariate(rate)
            while (self._waiting or not rate) and (connection := self._find_idle()) is not None:
                numbered = next(self._requests, None)
                if numbered is None:
                    self._idle.append(connection)
                    return time.perf_counter()
                self._send(connection, *numbered, self._waiting.popleft() if rate else now)
            self._receive(min(max(next_due - now, 0.0), _POLL_SECONDS))
        return time.perf_counter()

    def _find_idle(self) -> _Connection | None:
        if self._idle:
            return self._idle.popleft()
        if len(self._open) >= self._sending.connections:
            return None
        try:
            opened = socket.create_connection((HOST, self._port), timeout=_PATIENCE_SECONDS)
        except OSError:
            return None
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._poll.register(opened.fileno(), select.EPOLLIN)
        self._open[opened.fileno()] = _Connection(opened)
        return self._open[opened.fileno()]

    def _send(self, connection: _Connection, number: int, request: bytes, due: float) -> None:
        connection.number, connection.due = number, due
        try:
            connection.socket.sendall(request)
        except OSError:
            self._lose(connection)

    def _receive(self, seconds: float) -> None:
        for descriptor, _ in self._poll.poll(seconds):
            connection = self._open.get(descriptor)
            if connection is None:
                continue
            try:
                part = connection.socket.recv(_RECEIVED_AT_ONCE)
                connection.received += part
                answer = read_answer(connection.received)
            except (OSError, BrokenAnswerError):
                part, answer = b"", None
            if not part:
                self._lose(connection)
            elif answer is not None:
                connection.received.clear()
                self._note(connection, answer.status, answer.body)
                self._idle.append(connection)

    def _note(self, connection: _Connection, status: int, body: bytes) -> None:
        now = time.perf_counter()
        self._answers.append((status, now - connection.due, now))
        self._listen(connection.number, status, body)
        connection.number = -1

    def _lose(self, connection: _Connection) -> None:
        """The server ended the connection: a request on it is lost."""
        descriptor = connection.socket.fileno()
        self._poll.unregister(descriptor)
        del self._open[descriptor]
        connection.socket.close()
        if connection.number >= 0:
            self._note(connection, LOST, b"")
        else:
            self._idle.remove(connection)

    def _wait_for_the_rest(self) -> None:
        end = time.perf_counter() + _PATIENCE_SECONDS
        while any(c.number >= 0 for c in self._open.values()) and time.perf_counter() < end:
            self._receive(_POLL_SECONDS)
        for connection in [c for c in self._open.values() if c.number >= 0]:
            self._lose(connection)
