"""Whether the sources still deliver, and whether the API answers: errors and latency out of its own counters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Self

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
	"""Age of each source's snapshot, age of its rows unless they are simulated, and rows lost since `rows_before`."""
	for state in states:
		if state.rows is None or state.read_on is None:
			words = f"{state.table} has no snapshot: it was never read here, or the snapshot was removed"
			yield Check(subject=state.table, what="unread_days", verdict=Verdict.ALARM, n=0, words=words)
			continue
		yield _check_days(state, "unread_days", state.read_on, as_of, options.max_days_unread, "was last read")
		if state.last_update is not None and not simulated:
			yield _check_days(state, "days_behind", state.last_update, as_of, options.max_days_behind, "was last updated")
		if (before := rows_before.get(state.table)) is not None:
			yield _check_rows(state.table, state.rows, before, options)


def _check_days(state: SourceState, what: str, day: date, as_of: date, limit: int, said: str) -> Check:
	days = (as_of - day).days
	return Check(
		subject=state.table,
		what=what,
		# A day to come: clocks are apart, or a date is wrong.
		verdict=judge(is_alarm=days > limit) if days >= -1 else Verdict.CANNOT_TELL,
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
		words=f"{table} has {rows:,} rows; within three months it had {before:,}",
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

	def as_dict(self) -> dict[str, Any]:
		"""For `monitoring.json`; see `read`."""
		return {"statuses": dict(self.statuses), "seconds": {str(bound): n for bound, n in self.seconds}}

	@classmethod
	def read(cls, kept: Mapping[str, Any]) -> Self:
		"""What `as_dict` kept."""
		return cls(kept["statuses"], [(float(bound), n) for bound, n in kept["seconds"].items()])

	def since(self, before: Self | None) -> Self:
		"""What was counted since; all of it where the API has started anew, and counts from 0."""
		if before is None:
			return self
		statuses = {status: n - before.statuses.get(status, 0) for status, n in self.statuses.items()}
		earlier = dict(before.seconds)
		seconds = [(bound, n - earlier.get(bound, 0)) for bound, n in self.seconds]
		is_anew = min((*statuses.values(), *(n for _, n in seconds)), default=0) < 0
		return self if is_anew else type(self)(statuses, seconds)


def keep_counts(
	kept: Sequence[Mapping[str, Any]], counts: ServiceCounts | None, as_of: date
) -> list[Mapping[str, Any]]:
	"""The last counts of an earlier day, and those of today: a second run of a day compares as the first did."""
	earlier = [each for each in kept if each["as_of"] < as_of.isoformat()][-1:]
	return earlier if counts is None else [*earlier, {"as_of": as_of.isoformat(), **counts.as_dict()}]


def find_counts_before(kept: Sequence[Mapping[str, Any]], as_of: date) -> ServiceCounts | None:
	"""What the API had counted at the last run of an earlier day."""
	earlier = keep_counts(kept, None, as_of)
	return ServiceCounts.read(earlier[-1]) if earlier else None


def check_service(counts: ServiceCounts, before: ServiceCounts | None, options: ServiceOptions) -> Iterator[Check]:
	"""Share of requests that failed, and the time within which 99% of the decisions were answered, since `before`."""
	counts = counts.since(before)
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
