"""Whether the sources still deliver, and whether the API answers: errors and latency out of its own counters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from loantap.surveillance.monitoring.checks import Check, Verdict, judge
from loantap.surveillance.monitoring.options import ServiceOptions, SourceOptions


@dataclass(frozen=True, slots=True)
class SourceState:
	"""What the last snapshot of a table says.

	Attributes:
		rows: how many it has; None where there is no snapshot.
		last_update: of any row; None where no row has one.
		read_on: day of the run that read it.
	"""

	table: str
	rows: int | None
	last_update: date | None
	read_on: date | None


def check_sources(
	states: Sequence[SourceState], rows_before: dict[str, int], as_of: date, options: SourceOptions, *, simulated: bool
) -> Iterator[Check]:
	"""Age of each source's snapshot, age of its rows, and rows lost since the run before."""
	for state in states:
		if state.rows is None or state.read_on is None:
			words = f"{state.table} has no snapshot: it was never read here, or the snapshot was removed"
			yield Check(subject=state.table, what="unread_days", verdict=Verdict.ALARM, n=0, words=words)
			continue
		yield _check_days(state, "unread_days", state.read_on, as_of, options.max_days_unread, "was last read")
		if state.last_update is not None:
			check = _check_days(state, "days_behind", state.last_update, as_of, options.max_days_behind, "was last updated")
			if simulated:
				words = f"{check.words}; its rows are simulated, so their age says nothing"
				check = check.model_copy(update={"verdict": Verdict.CANNOT_TELL, "words": words})
			yield check
		if (before := rows_before.get(state.table)) is not None:
			yield _check_rows(state.table, state.rows, before, options)


def _check_days(state: SourceState, what: str, day: date, as_of: date, limit: int, said: str) -> Check:
	days = (as_of - day).days
	return Check(
		subject=state.table,
		what=what,
		verdict=judge(is_alarm=days > limit),
		value=days,
		limit=limit,
		n=state.rows or 0,
		words=f"{state.table} {said} on {day}, {days} days before {as_of}",
	)


def _check_rows(table: str, rows: int, before: int, options: SourceOptions) -> Check:
	least = before * (1 - options.row_loss)
	return Check(
		subject=table,
		what="rows",
		verdict=judge(is_alarm=rows < least),
		value=rows,
		limit=least,
		n=rows,
		against_n=before,
		words=f"{table} has {rows:,} rows; at the last run it had {before:,}",
	)


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
		verdict=judge(n, options.min_requests, is_alarm=n > 0 and failed / n > options.error_share),
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
		verdict=judge(decided, options.min_requests, is_alarm=p99 is not None and p99 > options.p99_seconds),
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
