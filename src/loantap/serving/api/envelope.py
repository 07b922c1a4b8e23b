"""Around every request: its id, headers of safety, the limit of load, counts and a line of log."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from loantap.serving.api.metrics import Metrics
from loantap.serving.api.problems import (
    PROBLEM_JSON,
    REQUEST_ID,
    ProblemError,
    write_problem,
)
from loantap.serving.desk.fields import FieldError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Which route answered and for which key; the view says so.
ROUTE: Final = "loantap.route"
CALLER: Final = "loantap.caller"
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
# What watches over the API is let in however much is asked of it.
_ALWAYS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_STDERR: Final = 2


class Envelope:
    """A WSGI middleware.

    Args:
        app: the application.
        metrics: where requests are counted.
        most: requests that are worked on at once; beyond it they are refused at once, since a
            request that waits long is answered to nobody.
        log: whether each request is logged, as one line of JSON on standard error: no body, no
            query and no name of a person.
    """

    def __init__(self, app: WSGIApplication, metrics: Metrics, most: int, *, log: bool) -> None:
        self._app = app
        self._metrics = metrics
        self._most = most
        self._log = log
        self._running = 0
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        began = time.perf_counter()
        given = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = given if given and _ID.fullmatch(given) else os.urandom(12).hex()
        environ[REQUEST_ID] = request_id
        environ[ROUTE] = UNMATCHED
        status = "500"

        def start(code: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal status
            status = code[:3]
            headers.append(("X-Request-ID", request_id))
            headers.extend(_SAFETY)
            return start_response(code, headers, exc_info)

        with self._lock:
            self._running += 1
            is_full = self._running > self._most
        try:
            if given and given != request_id:
                return _refuse(environ, start, _tell_id())
            if is_full and environ["PATH_INFO"] not in _ALWAYS:
                return _refuse(environ, start, _tell_load())
            return self._app(environ, start)
        finally:
            with self._lock:
                self._running -= 1
            took = time.perf_counter() - began
            route = environ[ROUTE]
            self._metrics.count_request(route, status, took)
            if self._log:
                self._write(environ, route, status, took, request_id)

    @staticmethod
    def _write(
        environ: WSGIEnvironment, route: str, status: str, took: float, request_id: str
    ) -> None:
        line = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "level": "info",
            "event": "request",
            "method": environ["REQUEST_METHOD"],
            "route": route,
            "status": int(status),
            "ms": round(took * 1_000, 2),
            "key": environ.get(CALLER),
            "request_id": request_id,
        }
        # One call, so that lines of several processes do not mix.
        os.write(_STDERR, to_json(line) + b"\n")


def _refuse(environ: WSGIEnvironment, start: Any, error: ProblemError) -> Iterable[bytes]:
    body = write_problem(error, environ["PATH_INFO"], environ[REQUEST_ID])
    length = str(len(body))
    headers = [("Content-Type", PROBLEM_JSON), ("Content-Length", length), *error.headers.items()]
    reason = {400: "BAD REQUEST", 503: "SERVICE UNAVAILABLE"}[error.status]
    start(f"{error.status} {reason}", headers)
    return [body]


def _tell_id() -> ProblemError:
    return ProblemError(
        "bad-header",
        "The request id cannot be used.",
        [
            FieldError(
                "X-Request-ID",
                "not 1 to 100 letters, digits, dots, dashes, colons and underscores",
                "Leave it out, and one is made",
            )
        ],
    )


def _tell_load() -> ProblemError:
    return ProblemError(
        "overloaded",
        "Too many requests are being worked on. Wait a second, then try again.",
        headers={"Retry-After": "1"},
    )
