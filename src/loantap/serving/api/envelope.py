"""Around every request: its id, safety headers, load limit, counts, log."""

from __future__ import annotations

import itertools
import os
import re
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from loantap.serving.api.answers import PROBLEM_JSON, REQUEST_ID, ProblemError, tell_field, write_problem
from loantap.serving.api.logs import RequestLog
from loantap.serving.api.metrics import Metrics

if TYPE_CHECKING:
  from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Slots:
  """Slots, handed to who has waited longest.

  At most `room` threads wait for one of `n`, for `patience` seconds; the next is refused at once,
  so that somebody is always free to refuse.
  """

  def __init__(self, n: int, room: int, patience: float) -> None:
    self._free = n
    self._room = room
    self._patience = patience
    self._waiting: deque[threading.Lock] = deque()
    self._lock = threading.Lock()

  def take(self) -> bool:
    """Whether this thread got a slot, which `give_back` frees."""
    with self._lock:
      if self._free:
        self._free -= 1
        return True
      if len(self._waiting) >= self._room:
        return False
      turn = threading.Lock()
      turn.acquire()
      self._waiting.append(turn)
    if turn.acquire(timeout=self._patience):
      return True
    with self._lock:
      # It may have come just as waiting ended.
      if turn not in self._waiting:
        return True
      self._waiting.remove(turn)
    return False

  def give_back(self) -> None:
    """Free a slot."""
    with self._lock:
      if self._waiting:
        self._waiting.popleft().release()
      else:
        self._free += 1


# Set by the view.
ROUTE: Final = "loantap.route"
UNMATCHED: Final = "(none)"
_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_CONTENT: Final = (
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
  "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_SAFETY: Final = [
  ("X-Content-Type-Options", "nosniff"),
  ("X-Frame-Options", "DENY"),
  ("Referrer-Policy", "no-referrer"),
  ("Cache-Control", "no-store"),
  ("Content-Security-Policy", _CONTENT),
]
# Monitoring is let in under any load.
_ALWAYS: Final = frozenset({"/healthz", "/readyz", "/metrics"})


class Envelope:
  """WSGI middleware around `app`; refuses a request without a free slot."""

  def __init__(self, app: WSGIApplication, metrics: Metrics, slots: Slots, *, log: bool) -> None:
    self._app = app
    self._metrics = metrics
    self._slots = slots
    self._log = RequestLog() if log else None
    self._ids = _RequestIds()

  def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer one request."""
    began = time.perf_counter()
    given = environ.get("HTTP_X_REQUEST_ID", "")
    request_id = given if given and _ID.fullmatch(given) else self._ids.make()
    environ[REQUEST_ID] = request_id
    environ[ROUTE] = UNMATCHED
    status = "500"

    def start(code: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
      nonlocal status
      status = code[:3]
      headers.append(("X-Request-ID", request_id))
      headers.extend(_SAFETY)
      return start_response(code, headers, exc_info)

    is_watch = environ["PATH_INFO"] in _ALWAYS
    has_slot = is_watch or self._slots.take()
    try:
      if given and given != request_id:
        return _refuse(environ, start, _tell_id())
      if not has_slot:
        return _refuse(environ, start, _tell_load())
      return self._app(environ, start)
    finally:
      if has_slot and not is_watch:
        self._slots.give_back()
      took = time.perf_counter() - began
      route = environ[ROUTE]
      self._metrics.count_request(route, status, took)
      if self._log is not None:
        self._log.add(environ, route, status, took)


class _RequestIds:
  """Random for each process, then counted, without a system call."""

  def __init__(self) -> None:
    self._prefix = os.urandom(8).hex()
    self._numbers = itertools.count(1)

  def make(self) -> str:
    return f"{self._prefix}{next(self._numbers):08x}"


def _refuse(environ: WSGIEnvironment, start: Any, error: ProblemError) -> Iterable[bytes]:
  body = write_problem(error, environ["PATH_INFO"], environ[REQUEST_ID])
  length = str(len(body))
  headers = [("Content-Type", PROBLEM_JSON), ("Content-Length", length), *error.headers.items()]
  reason = {400: "BAD REQUEST", 503: "SERVICE UNAVAILABLE"}[error.status]
  start(f"{error.status} {reason}", headers)
  return [body]


def _tell_id() -> ProblemError:
  problem = "not 1 to 100 letters, digits, dots, dashes, colons and underscores"
  remedy = "Leave it out, and one is made"
  return tell_field("bad-header", "The request id cannot be used.", "X-Request-ID", problem, remedy)


def _tell_load() -> ProblemError:
  return ProblemError(
    "overloaded", "Too many requests are being worked on. Wait a second, then try again.", headers={"Retry-After": "1"}
  )
