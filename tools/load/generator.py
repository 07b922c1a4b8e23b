"""Sends requests to a server of this machine and notes what came back, and when.

One thread and one poll of all connections, so that it takes a small part of the two cores that the
server needs (some 20 microseconds for each request). Closed loop: a connection sends its next
request when it has the answer to the last one; it finds what a server can do. Open loop: requests
are due at random times of a given rate, whether or not earlier ones were answered, as those of
callers who know nothing of each other are; the time of an answer counts from when its request was
due, so that a server that halts doesn't hide the requests that had to wait.
"""

import math
import random
import select
import socket
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from loantap.portfolio.arrays import FloatArray
from tools.load.exchange import HOST, BrokenAnswerError, read_answer

LOST: Final = 0  # the status of a request whose connection ended without an answer
_RECEIVED_AT_ONCE: Final = 1 << 16
_POLL_SECONDS: Final = 0.05
_PAUSE_BEFORE_CONNECTING: Final = 0.02

# The number of a request, the status and the body of its answer.
Listener = Callable[[int, int, bytes], object]


@dataclass(frozen=True, slots=True)
class Sending:
    """How requests are sent.

    Attributes:
        seconds: how long requests are sent; answers are waited for a little longer.
        connections: how many at most.
        rate: requests a second, at random times; None: as fast as they are answered.
        patience: seconds that answers are waited for when nothing is sent any more.
    """

    seconds: float
    connections: int = 32
    rate: float | None = None
    patience: float = 10.0


@dataclass(frozen=True, slots=True)
class Load:
    """What came back.

    Attributes:
        seconds: from the first request until the last was sent.
        due: how many were to be sent.
        unsent: how many of them found no free connection until the end.
        status: of each answer, `LOST` where none came.
        since_due: seconds from when a request was due to its answer, in the same order.
        answered_at: seconds from the beginning to the answer, in the same order.
        cpu_seconds: of the generator itself.
    """

    seconds: float
    due: int
    unsent: int
    status: np.ndarray[tuple[int], np.dtype[np.int64]]
    since_due: FloatArray
    answered_at: FloatArray
    cpu_seconds: float

    @property
    def counts(self) -> dict[int, int]:
        """How many answers of each status."""
        return dict(sorted(Counter(self.status.tolist()).items()))

    @property
    def rate(self) -> float:
        """Answers a second with a status of success, within the time of sending."""
        in_time = self.answered_at <= self.seconds
        return float((self.is_good & in_time).sum() / self.seconds)

    @property
    def is_good(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether each answer has a status of success."""
        return (self.status >= 200) & (self.status < 300)

    @property
    def errors(self) -> int:
        """How many requests were not answered with success."""
        return int((~self.is_good).sum()) + self.unsent

    def tell_errors(self) -> str:
        """How many there were of each kind, in words."""
        names = {LOST: "connection lost"}
        kinds = [f"{n:,} {names.get(k, k)}" for k, n in self.counts.items() if not 200 <= k < 300]
        kinds += [f"{self.unsent:,} without a free connection"] * bool(self.unsent)
        return ", ".join(kinds) or "none"

    def take_quantile(self, share: float, status: int | None = None) -> float:
        """Milliseconds within which a share of the answers came; NaN without any."""
        chosen = self.is_good if status is None else self.status == status
        return float(np.quantile(self.since_due[chosen], share) * 1e3) if chosen.any() else math.nan


def send(
    port: int,
    requests: Iterator[bytes],
    sending: Sending,
    listen: Listener | None = None,
    until: Callable[[], bool] | None = None,
) -> Load:
    """Send requests, and wait for their answers.

    Args:
        port: of the server, on this machine.
        requests: their bytes; the first is number 0. Ends the sending when there are no more.
        sending: how.
        listen: is told every answer; of a lost one the body is empty.
        until: ends the sending, asked now and then.
    """
    return _Generator(port, requests, sending, listen, until).run()


@dataclass(slots=True, eq=False)
class _Connection:
    """A socket, and the request that it waits to have answered."""

    socket: socket.socket
    number: int = -1
    due: float = 0.0
    received: bytearray = field(default_factory=bytearray)


class _Generator:
    """The state of one sending."""

    def __init__(
        self,
        port: int,
        requests: Iterator[bytes],
        sending: Sending,
        listen: Listener | None,
        until: Callable[[], bool] | None,
    ) -> None:
        self._port = port
        self._requests = requests
        self._sending = sending
        self._listen = listen
        self._until = until
        self._poll = select.epoll()
        self._open: dict[int, _Connection] = {}
        self._idle: deque[_Connection] = deque()
        self._waiting: deque[float] = deque()  # when requests were due that have no connection
        self._sent = self._due = 0
        self._status, self._since_due, self._answered_at = array("q"), array("d"), array("d")
        self._no_connection_before = 0.0

    def run(self) -> Load:
        """Send, wait, and tell."""
        cpu = time.thread_time()
        self._began = time.perf_counter()
        try:
            ended = self._send_all()
            self._wait_for_the_rest()
        finally:
            for connection in self._open.values():
                connection.socket.close()
            self._poll.close()
        return Load(
            ended - self._began,
            self._due,
            len(self._waiting),
            np.array(self._status, dtype=np.int64),
            np.array(self._since_due),
            np.array(self._answered_at),
            time.thread_time() - cpu,
        )

    def _send_all(self) -> float:
        """Until the time is over; when that was."""
        end = self._began + self._sending.seconds
        times = _draw_times(self._began, self._sending.rate)
        next_due = next(times)
        asked = self._began
        while (now := time.perf_counter()) < end:
            if self._until is not None and now - asked > _POLL_SECONDS:
                asked = now
                if self._until():
                    break
            if self._sending.rate is None:
                is_over = not self._send_on_idle(now)
            else:
                while next_due <= now:
                    self._waiting.append(next_due)
                    self._due += 1
                    next_due = next(times)
                is_over = not self._send_waiting()
            if is_over:
                break
            pause = _POLL_SECONDS if self._sending.rate is None else max(next_due - now, 0.0)
            self._receive(min(pause, _POLL_SECONDS))
        return time.perf_counter()

    def _send_on_idle(self, now: float) -> bool:
        """Closed loop: every idle connection has its next request; false when there are none."""
        while (connection := self._find_idle()) is not None:
            if not self._send(connection, now):
                return False
            self._due += 1
        return True

    def _send_waiting(self) -> bool:
        """Open loop: the oldest first, as long as there are connections."""
        while self._waiting and (connection := self._find_idle()) is not None:
            if not self._send(connection, self._waiting[0]):
                return False
            self._waiting.popleft()
        return True

    def _find_idle(self) -> _Connection | None:
        if self._idle:
            return self._idle.popleft()
        if len(self._open) >= self._sending.connections:
            return None
        if time.perf_counter() < self._no_connection_before:
            return None
        try:
            opened = socket.create_connection((HOST, self._port), timeout=self._sending.patience)
        except OSError:
            self._no_connection_before = time.perf_counter() + _PAUSE_BEFORE_CONNECTING
            return None
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(opened)
        self._open[opened.fileno()] = connection
        self._poll.register(opened.fileno(), select.EPOLLIN)
        return connection

    def _send(self, connection: _Connection, due: float) -> bool:
        request = next(self._requests, None)
        if request is None:
            self._idle.append(connection)
            return False
        connection.number, connection.due = self._sent, due
        self._sent += 1
        try:
            connection.socket.sendall(request)
        except OSError:
            self._lose(connection)
        return True

    def _receive(self, seconds: float) -> None:
        for descriptor, _ in self._poll.poll(seconds):
            connection = self._open.get(descriptor)
            if connection is None:
                continue
            try:
                part = connection.socket.recv(_RECEIVED_AT_ONCE)
                connection.received += part
                answer = read_answer(connection.received) if part else None
            except (OSError, BrokenAnswerError):
                self._lose(connection)
                continue
            if not part:
                self._lose(connection)
            elif answer is not None:
                connection.received.clear()
                self._note(connection, answer.status, answer.body)
                self._idle.append(connection)

    def _note(self, connection: _Connection, status: int, body: bytes) -> None:
        now = time.perf_counter()
        self._status.append(status)
        self._since_due.append(now - connection.due)
        self._answered_at.append(now - self._began)
        if self._listen is not None:
            self._listen(connection.number, status, body)
        connection.number = -1

    def _lose(self, connection: _Connection) -> None:
        """The server ended the connection: with a request on it, that one is lost."""
        descriptor = connection.socket.fileno()
        self._poll.unregister(descriptor)
        del self._open[descriptor]
        connection.socket.close()
        if connection.number >= 0:
            self._note(connection, LOST, b"")
        else:
            self._idle.remove(connection)

    def _wait_for_the_rest(self) -> None:
        end = time.perf_counter() + self._sending.patience
        while any(c.number >= 0 for c in self._open.values()) and time.perf_counter() < end:
            self._receive(_POLL_SECONDS)
        for connection in list(self._open.values()):
            if connection.number >= 0:
                self._lose(connection)


def _draw_times(begin: float, rate: float | None) -> Iterator[float]:
    """Random times, so many a second, the same ones each time; without a rate all at once."""
    draw, at = random.Random(7), begin  # noqa: S311
    while True:
        at += draw.expovariate(rate) if rate is not None else 0.0
        yield at
