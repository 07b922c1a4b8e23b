"""A table of ours in the warehouse, written when the run has succeeded."""

import logging
import secrets
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
from kedro.io import AbstractDataset, DatasetError

from loantap.databases.backends import EMBEDDED, make_writable
from loantap.databases.backends.embedded import mark
from loantap.databases.backends.interface import Query, SourceDownError, Transaction, WritableBackend, quote
from loantap.databases.backends.waiting import SILENCE_LIMIT_S, Deadline, Patience, persist, read_ahead
from loantap.databases.merge import POSITION, Changes, Merge, Mode, Staged, create_statement, list_tables
from loantap.databases.sql_rows import Rows, RowShaper
from loantap.portfolio.errors import InputError
from loantap.tables.progress import Progress

T = TypeVar("T")

# Between the name of a table and what tells its staging tables apart.
_STAGED = "__staged_"
_STAMP = "%y%m%d%H%M%S"
# Older staging tables are those of killed runs.
_LONGEST_RUN = timedelta(days=1)
_POSITION_FIELD = pa.field(POSITION, pa.int64())

logger = logging.getLogger(__name__)


class TargetTableDataset(AbstractDataset[Rows | Iterable[Rows], pa.RecordBatchReader]):
	"""A table of ours in the warehouse.

	What is saved waits in a staging table. When the run has succeeded, one transaction for all its tables in this
	database makes or migrates the table and writes the rows that differ; until then everybody reads the old ones.

	Args:
		key: columns that tell its rows apart.
		time_limit_s: how long, in each step, a warehouse that is down is asked again, and a statement may take.
	"""

	def __init__(
		self,
		*,
		system: str,
		table: str,
		key: list[str],
		mode: str,
		credentials: dict[str, Any],
		time_limit_s: float = 600,
		metadata: dict[str, Any] | None = None,
	) -> None:
		self._system = system
		self._merge = Merge(f"{system}, table {table}", table, tuple(key), Mode(mode))
		self._credentials = credentials
		self._time_limit_s = time_limit_s
		self._shaper = RowShaper(self._merge.where, key)
		self._staged: Staged | None = None
		self.metadata = metadata

	@property
	def is_embedded(self) -> bool:
		"""Whether the database is a file of ours rather than a real system."""
		return self._credentials.get("backend") == EMBEDDED

	@property
	def file(self) -> Path | None:
		"""The database, where it is a file of ours."""
		return Path(self._credentials["path"]) if self.is_embedded else None

	@property
	def table(self) -> str:
		"""Name of the table."""
		return self._merge.table

	@property
	def database(self) -> Hashable:
		"""What is the same for tables that one transaction can change."""
		return frozenset(self._credentials.items())

	@property
	def is_staged(self) -> bool:
		"""Whether rows wait to be published."""
		return self._staged is not None

	def require_credentials(self) -> None:
		"""See `Credentialed`."""
		self._backend()

	def load(self) -> pa.RecordBatchReader:
		"""What this run saved, or else the table; read in batches as they are asked for."""
		if self._staged is None:
			query = Query(f"SELECT * FROM {quote(self._merge.table)}")  # noqa: S608
		else:
			names = ", ".join(map(quote, self._staged.schema.names))
			query = Query(f"SELECT {names} FROM {quote(self._staged.name)}")  # noqa: S608
		# Who reads may take their time.
		patience = Patience(inf, SILENCE_LIMIT_S)
		return read_ahead(lambda: self._backend().read(query), Deadline(self._merge.where, patience))

	def save(self, data: Rows | Iterable[Rows]) -> None:
		"""Stage rows; further ones where a node saves in batches."""
		try:
			# Rows that come once can be sent once.
			is_held = isinstance(data, pd.DataFrame | pa.Table | pa.RecordBatch)
			self._staged = self.persist(lambda: self._send(data)) if is_held else self._send(data)
		except BaseException:
			self.discard()
			raise

	def publish(self) -> None:
		"""See `Publishable`."""
		publish_together([self])

	def discard(self) -> None:
		"""See `Publishable`."""
		staged, self._staged = self._staged, None
		self._shaper = RowShaper(self._merge.where, self._merge.key)
		if staged is None:
			return
		try:
			with self.transaction() as transaction:
				_drop(staged.name, transaction)
		except InputError as error:
			# A later run tidies up.
			logger.warning("Staging table %s is left behind: %s", staged.name, error)

	def _send(self, data: Rows | Iterable[Rows]) -> Staged | None:
		total = len(data) if isinstance(data, pd.DataFrame) else None
		staged, progress = self._staged, Progress(f"{self._merge.table}, sent", total, "rows")
		with self.transaction() as transaction:
			if staged is not None:
				_drop_beyond(staged, transaction)
			for rows in self._shaper.shape(data):
				staged = staged or self._make_staging(rows.schema, transaction)
				staged = _append(rows, staged, transaction)
				progress.tell(staged.rows)
		return staged

	def transaction(self, tables: str | None = None) -> AbstractContextManager[Transaction]:
		"""See `WritableBackend`; with other tables of the database it is for those, by name."""
		where = f"{self._system}, {tables}" if tables else self._merge.where
		return make_writable(where, self._credentials, self._time_limit_s).transaction()

	def merge(self, transaction: Transaction) -> Changes:
		"""Bring the table up to date from what is staged; see `Merge.apply`."""
		if self._staged is None:
			raise DatasetError(f"{self._merge.where}: nothing is staged")
		return self._merge.apply(self._staged, transaction)

	def tell(self, changes: Changes) -> None:
		"""Say what was changed; in our own file as a detail."""
		level = logging.INFO if changes.repeated or not self.is_embedded else logging.DEBUG
		logger.log(level, "%s: %s", self._merge.where, changes)

	def persist(self, attempt: Callable[[], T]) -> T:
		"""See `loantap.databases.backends.waiting.persist`."""
		return persist(attempt, Deadline(self._merge.where, Patience(self._time_limit_s)))

	def _make_staging(self, schema: pa.Schema, transaction: Transaction) -> Staged:
		"""Nobody else has it; those of runs that were killed go."""
		prefix = f"{self._merge.table}{_STAGED}"
		now = datetime.now(tz=UTC)
		for name in list_tables(prefix, transaction):
			if name < f"{prefix}{now - _LONGEST_RUN:{_STAMP}}":
				_drop(name, transaction)
		name = f"{prefix}{now:{_STAMP}}_{secrets.token_hex(3)}"
		columns = schema.append(_POSITION_FIELD)
		transaction.execute(create_statement(name, columns, kind=transaction.scratch))
		return Staged(name, schema, 0)

	def _backend(self) -> WritableBackend:
		return make_writable(self._merge.where, self._credentials, self._time_limit_s)

	def _exists(self) -> bool:
		try:
			self._backend().describe(self._merge.table)
		except SourceDownError:
			raise
		except InputError:
			return False
		return True

	def _describe(self) -> dict[str, Any]:
		return {
			"system": self._system,
			"table": self._merge.table,
			"key": ", ".join(self._merge.key),
			"mode": self._merge.mode.value,
		}


def publish_together(tables: Iterable[TargetTableDataset], run: str | None = None) -> None:
	"""Publish staged tables, those of one database in one transaction: all of them change, or none.

	The same transaction marks the embedded warehouse's tables with `run`. Raises SourceDownError or InputError.
	"""
	databases: dict[Hashable, list[TargetTableDataset]] = {}
	# In one order, or two runs could wait for each other.
	for table in sorted(tables, key=lambda each: each.table):
		if table.is_staged:
			databases.setdefault(table.database, []).append(table)
	for group in databases.values():
		# Made twice, it finds nothing left to change.
		group[0].persist(lambda: _merge_all(group, run))  # noqa: B023 (called at once)
		for table in group:
			table.discard()


def _merge_all(tables: Sequence[TargetTableDataset], run: str | None) -> None:
	names = ", ".join(table.table for table in tables)
	with tables[0].transaction(f"table{'s' * (len(tables) > 1)} {names}") as transaction:
		changes = [table.merge(transaction) for table in tables]
		for table in tables:
			if run is not None and table.is_embedded:
				mark(table.table, run, transaction)
	for table, change in zip(tables, changes, strict=True):
		table.tell(change)


def _append(rows: pa.Table, staged: Staged, transaction: Transaction) -> Staged:
	positions = pa.array(np.arange(staged.rows, staged.rows + rows.num_rows))
	transaction.insert(staged.name, rows.append_column(_POSITION_FIELD, positions))
	return replace(staged, rows=staged.rows + rows.num_rows)


def _drop_beyond(staged: Staged, transaction: Transaction) -> None:
	"""Remove what an attempt sent whose success was not heard of."""
	transaction.execute(
		f"DELETE FROM {quote(staged.name)} WHERE {quote(POSITION)} >= {staged.rows}"  # noqa: S608
	)


def _drop(name: str, transaction: Transaction) -> None:
	transaction.execute(f"DROP TABLE IF EXISTS {quote(name)}")
