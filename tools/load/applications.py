"""Simulated applications as JSON and CSV, the way a caller of the API sends them."""

import json
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, Final

import pandas as pd

from tools.benchmarks.configured import simulate_loans
from tools.load.exchange import render_request

SCORE_PATH: Final = "/v1/applications/score"
BATCH_PATH: Final = "/v1/applications/score-batch"


def simulate_applications(number: int) -> pd.DataFrame:
    """Applications in LoanTap format, with an id of their own."""
    loans = simulate_loans(number, seed=7)
    ids = pd.Series([f"load-{n}" for n in range(number)])
    return loans.drop(columns="loan_status").assign(application_id=ids)


def list_applications(applications: pd.DataFrame) -> list[dict[str, Any]]:
    """Each as a dictionary; what is missing is null."""
    given = applications.astype(object).where(applications.notna(), None)
    return [dict(zip(given.columns, row, strict=True)) for row in given.itertuples(index=False)]


def render_bodies(applications: pd.DataFrame) -> list[bytes]:
    """Each as a JSON object."""
    return [json.dumps(row).encode() for row in list_applications(applications)]


def render_scoring(bodies: list[bytes], headers: dict[str, str]) -> list[bytes]:
    """A request for one decision for each body."""
    named = headers | {"Content-Type": "application/json"}
    return [render_request("POST", SCORE_PATH, named, body) for body in bodies]


def number_requests(requests: Sequence[bytes], prefix: str) -> Iterator[bytes]:
    """The requests again and again, each with an idempotency key of its own."""
    return (number_request(requests, prefix, number) for number in count())


def number_request(requests: Sequence[bytes], prefix: str, number: int) -> bytes:
    """The request of a number, with its idempotency key."""
    line, end, rest = requests[number % len(requests)].partition(b"\r\n")
    return b"%b%bIdempotency-Key: %b\r\n%b" % (line, end, name_key(prefix, number).encode(), rest)


def name_key(prefix: str, number: int) -> str:
    """The idempotency key of a request."""
    return f"{prefix}-{number}"
