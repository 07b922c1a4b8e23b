"""Simulated applications as JSON and CSV, the way a caller of the API sends them."""

import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Final

import pandas as pd

from tools.benchmarks.configured import simulate_loans
from tools.load.generator import render_request

SCORE_PATH: Final = "/v1/applications/score"


def simulate_applications(number: int) -> pd.DataFrame:
	"""Applications in LoanTap format, with an id of their own."""
	ids = [f"load-{n}" for n in range(number)]
	return simulate_loans(number, seed=7).drop(columns="loan_status").assign(application_id=ids)


def list_applications(applications: pd.DataFrame) -> list[dict[Hashable, Any]]:
	"""Each as a dictionary; what is missing is null."""
	return applications.astype(object).where(applications.notna(), None).to_dict("records")


def render_scoring(applications: pd.DataFrame, headers: Mapping[str, str]) -> list[bytes]:
	"""A request for one decision for each application."""
	named = {**headers, "Content-Type": "application/json"}
	bodies = (json.dumps(row).encode() for row in list_applications(applications))
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
