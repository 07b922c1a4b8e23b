"""Lines of log in JSON, on standard error."""

import json
import logging
import time
from typing import Any, Final


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
            "class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr",
            "filters": [is_alarm],
        },
    },
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {
        name: {"level": level, "handlers": ["stderr"], "propagate": False}
        for name, level in (("loantap", "INFO"), ("_granian", "WARNING"))
    },
}  # fmt: skip
