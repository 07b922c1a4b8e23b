"""Errors and latency of the API, out of the counters that it exposes to Prometheus."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from loantap.surveillance.monitoring.checks import Check, Verdict
from loantap.surveillance.monitoring.options import ServiceOptions


@dataclass(frozen=True, slots=True)
class ServiceCounts:
	"""What the API has counted since it started.

	Attributes:
		statuses: requests by status.
		seconds: of the decisions, requests answered within so many seconds; the last is infinity.
	"""

	statuses: Mapping[str, int]
	seconds: Sequence[tuple[float, int]]


def check_service(counts: ServiceCounts, options: ServiceOptions) -> Iterator[Check]:
	"""Share of requests that failed, and the time within which 99% of the decisions were answered."""
	n = sum(counts.statuses.values())
	failed = sum(count for status, count in counts.statuses.items() if status.startswith("5"))
	value = failed / n if n else None
	yield Check(
		subject="API",
		what="error_share",
		verdict=_judge(n, options, is_alarm=n > 0 and failed / n > options.error_share),
		value=value,
		limit=options.error_share,
		n=n,
		words=f"{failed:,} of {n:,} requests to the API failed",
	)
	decided = counts.seconds[-1][1] if counts.seconds else 0
	p99 = find_quantile(counts.seconds, 0.99)
	yield Check(
		subject="API",
		what="p99_seconds",
		verdict=_judge(decided, options, is_alarm=p99 is not None and p99 > options.p99_seconds),
		value=p99,
		limit=options.p99_seconds,
		n=decided,
		words=f"99% of {decided:,} decisions were answered within {p99:.3f} s"
		if p99 is not None
		else "no decision was timed",
	)


def find_quantile(cumulative: Sequence[tuple[float, int]], share: float) -> float | None:
	"""Seconds within which a share was answered, linear within its bucket; None of no requests.

	In the last bucket, which has no end, its beginning.
	"""
	total = cumulative[-1][1] if cumulative else 0
	if not total:
		return None
	wanted = share * total
	for (start, below), (end, up_to) in pairwise([(0.0, 0), *cumulative]):
		if up_to >= wanted and up_to > below:
			return start if end == float("inf") else start + (end - start) * (wanted - below) / (up_to - below)
	return cumulative[-1][0]


def _judge(n: int, options: ServiceOptions, *, is_alarm: bool) -> Verdict:
	if n < options.min_requests:
		return Verdict.CANNOT_TELL
	return Verdict.ALARM if is_alarm else Verdict.QUIET
