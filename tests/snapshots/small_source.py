from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

import duckdb
import pyarrow as pa

from loantap.databases.source_table import Account
from loantap.snapshots.extraction import Extraction

T = TypeVar("T")
COLUMNS = ["loan_id", "month", "balance", "updated_at"]
AS_OF = date(2016, 3, 31)
_TABLE = "(loan_id VARCHAR, month BIGINT, balance DOUBLE, updated_at TIMESTAMP)"
_RECENT = "updated_at >= ? OR updated_at IS NULL"

Row = tuple[str | None, int | None, float | None, datetime | None]


def day(number):
	"""Noon of the n-th day of 2016."""
	return datetime.fromisoformat("2016-01-01 12:00") + timedelta(days=number - 1)


@dataclass
class SmallSource:
	"""A table in memory that is read, counted and asked for as `SourceTable` is.

	Attributes:
		batch_rows: rows of a batch.
		breaks_after: batches after which a reading breaks, for the next readings one by one.
		meanwhile: called between the count that begins an extraction and the reading.
		loses: rows that are lost on the way of each reading.
		readings: from when on each reading was.
	"""

	key: tuple[str, ...] = ("loan_id", "month")
	where: str = "warehouse, table loan_events"
	fingerprint: str = "3f"
	is_embedded: bool = False
	batch_rows: int = 2_048
	breaks_after: list[int] = field(default_factory=list)
	meanwhile: Callable[[], object] = lambda: None
	loses: int = 0
	readings: list[datetime | None] = field(default_factory=list)

	def __post_init__(self):
		self._database = duckdb.connect()
		self._database.execute(f"CREATE TABLE rows {_TABLE}")

	def sql(self, statement, *parameters):
		self._database.execute(statement, list(parameters))

	def insert(self, *rows):
		self._database.executemany("INSERT INTO rows VALUES (?, ?, ?, ?)", [list(r) for r in rows])

	def fill(self, number, first=0, updated_at=None, minutes=1):
		"""Add as many loans; they were changed one every few minutes from the first of January."""
		self.sql(
			"INSERT INTO rows SELECT 'loan-' || i, 1, i / 3, "
			"coalesce(?, TIMESTAMP '2016-01-01' + INTERVAL (i * ?) MINUTE) FROM range(?, ?) t(i)",
			updated_at,
			minutes,
			first,
			first + number,
		)

	def change(self, *numbers, balance, at):
		for number in numbers:
			self.sql("UPDATE rows SET balance = ?, updated_at = ? WHERE loan_id = ?", balance, at, f"loan-{number}")

	def rows(self):
		return order(self._database.sql("FROM rows").to_arrow_table().to_pandas())

	def account(self, since=None):
		counted = "count(*), min(updated_at), max(updated_at)"
		recent = "true" if since is None else _RECENT
		found = self._database.execute(
			f"SELECT {counted}, count(*) FILTER ({recent}) FROM rows",  # noqa: S608
			[] if since is None else [since],
		).fetchall()
		return Account(*found[0])

	def read(self, since=None):
		self.readings.append(since)
		self.meanwhile()
		# Another connection: the table may change while it is read.
		recent = "true" if since is None else _RECENT.replace("?", f"TIMESTAMP '{since}'")
		rows = self._database.cursor().sql(f"FROM rows WHERE {recent}")
		reader = rows.to_arrow_reader(self.batch_rows)
		limit = self.breaks_after.pop(0) if self.breaks_after else None

		def batches():
			for number, batch in enumerate(reader):
				if number == limit:
					raise ConnectionResetError("connection cut")
				yield batch.slice(self.loses if number == 0 else 0)

		return pa.RecordBatchReader.from_batches(reader.schema, batches())

	def in_time(self):
		return nullcontext()

	def persist(self, attempt):
		for _ in range(5):
			try:
				return attempt()
			except ConnectionResetError:
				continue
		raise ConnectionResetError("the source is down")


def order(rows):
	return rows[COLUMNS].sort_values(COLUMNS, ignore_index=True)


def extraction(source, since=None, as_of=AS_OF, overlap=timedelta(days=1)):
	"""What an ingestion node makes of a source."""
	return Extraction(source=source, since=since, as_of=as_of, overlap=overlap)
