"""Around every request: its id, safety headers, load limit, counts, and lines of log in JSON on standard error."""

from __future__ import annotations

import itertools
import json
import logging
import os
import re
import threading
import time
from collections import deque
from collections.abc import Iterable
from multiprocessing import util
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from loantap.serving.api.answers import PROBLEM_JSON, REQUEST_ID, ProblemError, tell_field, write_problem
from loantap.serving.api.metrics import Metrics

if TYPE_CHECKING:
	from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Set by the door: the key's id.
CALLER: Final = "loantap.caller"
_STDERR: Final = 2
# Seconds; written one by one, lines cost as much as a decision.
_GATHERED: Final = 0.25
# See `multiprocessing.util.Finalize`.
_AT_THE_END: Final = 1


class JsonFormatter(logging.Formatter):
	"""One line of JSON per event, without exceptions' texts, which may quote applications."""

	def format(self, record: logging.LogRecord) -> str:
		"""The line."""
		line: dict[str, Any] = {
			"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
			"level": record.levelname.lower(),
			"event": "log",
			"logger": record.name,
			"message": record.getMessage(),
		}
		if record.exc_info and record.exc_info[0]:
			line["exception"] = record.exc_info[0].__name__
			trace = record.exc_info[2]
			while trace is not None and trace.tb_next is not None:
				trace = trace.tb_next
			if trace is not None:
				code = trace.tb_frame.f_code
				line["where"] = f"{code.co_filename}:{trace.tb_lineno} {code.co_name}"
		return json.dumps(line)


def is_alarm(record: logging.LogRecord) -> bool:
	"""Whether to write a line; not granian's on many threads: slots let few work (ADR 19)."""
	return not str(record.msg).startswith("Configuration allows spawning up to")


LOGGING: Final[dict[str, Any]] = {
	"version": 1,
	"disable_existing_loggers": False,
	"formatters": {"json": {"()": "loantap.serving.api.envelope.JsonFormatter"}},
	"handlers": {
		"stderr": {
			"class": "logging.StreamHandler",
			"formatter": "json",
			"stream": "ext://sys.stderr",
			"filters": [is_alarm],
		}
	},
	"root": {"level": "WARNING", "handlers": ["stderr"]},
	"loggers": {
		name: {"level": level, "handlers": ["stderr"], "propagate": False}
		for name, level in (("loantap", "INFO"), ("_granian", "WARNING"))
	},
}


class RequestLog:
	"""Gathers lines, without body, query or person's name, and writes them together, the last at the process's end."""

	def __init__(self) -> None:
		self._lines: deque[bytes] = deque()
		self._started = False
		self._lock = threading.Lock()
		util.Finalize(self, self.flush, exitpriority=_AT_THE_END)

	def add(self, environ: WSGIEnvironment, route: str, status: str, took: float) -> None:
		"""Note a request that took so many seconds."""
		line = {
			"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
			"level": "info",
			"event": "request",
			"method": environ["REQUEST_METHOD"],
			"route": route,
			"status": int(status),
			"ms": round(took * 1_000, 2),
			"key": environ.get(CALLER),
			"request_id": environ[REQUEST_ID],
		}
		self._lines.append(to_json(line))
		if not self._started:
			self._start()

	def flush(self) -> None:
		"""Write what was gathered in one call, so that processes' lines do not mix."""
		with self._lock:
			lines = [self._lines.popleft() for _ in range(len(self._lines))]
			if lines:
				os.write(_STDERR, b"\n".join(lines) + b"\n")

	def _start(self) -> None:
		with self._lock:
			if self._started:
				return
			self._started = True
		threading.Thread(target=self._write_on, name="request-log", daemon=True).start()

	def _write_on(self) -> None:
		while True:
			time.sleep(_GATHERED)
			self.flush()


class Slots:
	"""Slots, handed to who has waited longest.

	At most `room` threads wait for one of `n`, for `patience` seconds; the next is refused at once.
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
