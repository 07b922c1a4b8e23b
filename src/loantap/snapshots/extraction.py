"""What to read of a source table, decided from what is there of it already."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, Protocol, TypeVar

import pyarrow as pa

from loantap.databases.source_table import Account
from loantap.portfolio.options import IngestionOptions
from loantap.tables.progress import Progress

T = TypeVar("T")


class Source(Protocol):
	"""A table that is read when asked, as `SourceTable` is."""

	@property
	def where(self) -> str:
		"""System and table, for messages."""

	@property
	def is_embedded(self) -> bool:
		"""Whether it is a file of ours rather than a real system."""

	@property
	def key(self) -> tuple[str, ...]:
		"""Columns that tell rows apart, unless the source is at fault."""

	@property
	def fingerprint(self) -> str:
		"""Digest of system, table and query: another one means other rows."""

	def account(self, since: datetime | None = None) -> Account:
		"""Number of rows, first and last update, and how many rows are as new as `since`."""

	def read(self, since: datetime | None = None) -> pa.RecordBatchReader:
		"""All rows, or those as new as `since` and those without a time."""

	def in_time(self) -> AbstractContextManager[None]:
		"""One time limit for all that is asked within."""

	def persist(self, attempt: Callable[[], T]) -> T:
		"""Try again while the source is down, within its time limit."""


@dataclass(frozen=True, slots=True)
class Extraction:
	"""An extraction that a snapshot carries out when it is saved.

	Attributes:
		since: read what changed from this day on; "all" for every row; None: since the last good snapshot.
		overlap: how far behind the last update to read again: clocks differ, and rows may be committed late.
	"""

	source: Source
	since: date | Literal["all"] | None
	as_of: date
	overlap: timedelta

	def watermark(self, last_update: datetime | None, read_on: date) -> datetime | None:
		"""From which update (UTC) on a snapshot has to be read again; None for all of it.

		A day asked for can only move it back, or changes before it would be lost. A clock that ran ahead cannot move it
		beyond `read_on`, the day of the snapshot.
		"""
		if self.since == "all" or last_update is None:
			return None
		end_of_day = _midnight(min(self.as_of, read_on)) + timedelta(days=1)
		known = min(last_update, end_of_day) - self.overlap
		return known if self.since is None else min(known, _midnight(self.since))


def plan_extraction(source: Source, options: IngestionOptions) -> Extraction:
	"""The extraction of a table that the options ask for; nothing is read yet."""
	return Extraction(
		source=source, since=options.since, as_of=options.as_of, overlap=timedelta(days=options.overlap_days)
	)


def show_progress(batches: pa.RecordBatchReader, label: str, total: int) -> Iterator[pa.RecordBatch]:
	"""The batches, each counted when it has been dealt with."""
	rows, progress = 0, Progress(label, total, "rows")
	for batch in batches:
		yield batch
		rows += batch.num_rows
		progress.tell(rows)


def _midnight(day: date) -> datetime:
	return datetime.combine(day, time.min)
