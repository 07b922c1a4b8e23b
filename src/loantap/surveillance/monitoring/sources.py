"""Whether the sources still deliver."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from loantap.surveillance.monitoring.checks import Check, Verdict
from loantap.surveillance.monitoring.options import SourceOptions


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
			yield Check(subject=state.table, what="unread_days", verdict=Verdict.ALARM, value=None, n=0, words=words)
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
		verdict=Verdict.ALARM if days > limit else Verdict.QUIET,
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
		verdict=Verdict.ALARM if rows < least else Verdict.QUIET,
		value=rows,
		limit=least,
		n=rows,
		against_n=before,
		words=f"{table} has {rows:,} rows; at the last run it had {before:,}",
	)
