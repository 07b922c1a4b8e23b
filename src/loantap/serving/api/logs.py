"""Lines of log in JSON, on standard error: of events, and of requests without body, query or person's name."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import deque
from multiprocessing import util
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from loantap.serving.api.answers import REQUEST_ID

if TYPE_CHECKING:
  from _typeshed.wsgi import WSGIEnvironment

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
  "formatters": {"json": {"()": "loantap.serving.api.logs.JsonFormatter"}},
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
  """Gathers lines and writes them together, the last at the process's end."""

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
