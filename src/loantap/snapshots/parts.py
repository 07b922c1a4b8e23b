"""Rows in Parquet files that never change once they are finished."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from loantap.portfolio.dictionary import UPDATED_AT

# Rows in memory at a time, and the unit in which a part can be skipped when it is searched.
GROUP_ROWS = 65_536
PART_ROWS = 8 * GROUP_ROWS
UNFINISHED = ".unfinished.parquet"

Mask = npt.NDArray[np.bool_]


class DamagedSnapshotError(Exception):
	"""A file of a snapshot is missing or not what was written; its source can be read again."""


class Part(BaseModel):
	"""One file of `file_rows`, of which `rows` count; named by content.

	`undated` rows that count have no time of update; `first_update` is the earliest (UTC), if any.
	"""

	model_config = ConfigDict(frozen=True, extra="forbid")

	name: str
	file_rows: int
	rows: int
	undated: int
	first_update: datetime | None
	last_update: datetime | None

	def may_hold_since(self, time: datetime) -> bool:
		"""Whether a row may be as new as `time`, or without one."""
		return self.undated > 0 or (self.last_update is not None and self.last_update >= time)


class PartsWriter:
	"""Writes rows to parts as they arrive; a part is finished when it is full."""

	def __init__(self, folder: Path, schema: pa.Schema, part_rows: int) -> None:
		self._path = folder / UNFINISHED
		self._schema = schema
		self._part_rows = part_rows
		self._open: _OpenPart | None = None
		self._parts: list[Part] = []

	def write(self, batches: Iterable[pa.RecordBatch]) -> None:
		"""Append rows, each batch as it arrives."""
		for batch in batches:
			self._write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=self._schema))

	def keep(self, part: Part) -> int:
		"""List a part that there is, after the rows written so far; its place among all parts."""
		self._finish()
		self._parts.append(part)
		return len(self._parts) - 1

	def complete(self) -> tuple[Part, ...]:
		"""All parts; one without rows when nothing was written, for its columns."""
		if not self._parts:
			self._open = self._open or _OpenPart(self._path, self._schema)
		self._finish()
		return tuple(self._parts)

	def close(self) -> None:
		"""Let go of the file that is being written, if any."""
		if self._open is not None:
			self._open.close()

	def _write_batch(self, batch: pa.RecordBatch) -> None:
		while batch.num_rows:
			self._open = self._open or _OpenPart(self._path, self._schema)
			room = self._part_rows - self._open.rows
			self._open.write(batch.slice(0, room))
			batch = batch.slice(room)
			if self._open.rows == self._part_rows:
				self._finish()

	def _finish(self) -> None:
		if self._open is not None:
			self._parts.append(self._open.finish())
			self._open = None


class _OpenPart:
	"""A part while it is being written, in groups of one size."""

	def __init__(self, path: Path, schema: pa.Schema) -> None:
		self._path = path
		self._writer = pq.ParquetWriter(path, schema)
		self._pending: list[pa.RecordBatch] = []
		self.rows = 0

	def write(self, batch: pa.RecordBatch) -> None:
		while batch.num_rows:
			piece = batch.slice(0, GROUP_ROWS - self.rows % GROUP_ROWS)
			self._pending.append(piece)
			self.rows += piece.num_rows
			batch = batch.slice(piece.num_rows)
			if self.rows % GROUP_ROWS == 0:
				self._flush()

	def finish(self) -> Part:
		self._flush()
		self._writer.close()
		return describe_part(name_by_content(self._path, "part"))

	def close(self) -> None:
		self._writer.close()

	def _flush(self) -> None:
		if self._pending:
			self._writer.write_table(pa.Table.from_batches(self._pending))
		self._pending = []


@contextmanager
def writing_parts(folder: Path, schema: pa.Schema, part_rows: int) -> Iterator[PartsWriter]:
	"""A writer that lets go of its file whatever happens."""
	writer = PartsWriter(folder, schema, part_rows)
	try:
		yield writer
	finally:
		writer.close()


def write_parts(
	folder: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch], part_rows: int = PART_ROWS
) -> tuple[Part, ...]:
	"""Write all rows, each batch as it arrives."""
	with writing_parts(folder, schema, part_rows) as writer:
		writer.write(batches)
		return writer.complete()


def describe_part(path: Path, outdated: Mask | None = None) -> Part:
	"""A finished file, of which the outdated rows do not count."""
	updates = pq.read_table(path, columns=[UPDATED_AT.name]).column(0)
	counted = updates if outdated is None else updates.filter(pa.array(~outdated))
	found = pc.min_max(counted).as_py()
	return Part(
		name=path.name,
		file_rows=len(updates),
		rows=len(counted),
		undated=counted.null_count,
		first_update=found["min"],
		last_update=found["max"],
	)


def read_rows(path: Path, counted: Mask, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
	"""The rows of a part that count, in batches; raises DamagedSnapshotError."""
	check_content(path)
	done = 0
	with pq.ParquetFile(path) as file:
		for batch in file.iter_batches(GROUP_ROWS, columns=columns):
			yield batch.filter(pa.array(counted[done : done + batch.num_rows]))
			done += batch.num_rows


def read_table(paths: Sequence[Path], outdated: Sequence[Mask]) -> pa.Table:
	"""The rows of several parts that count, in order; raises DamagedSnapshotError."""
	tables = map(read_file, paths)
	return pa.concat_tables(
		table.filter(pa.array(~mask)) if mask.any() else table for table, mask in zip(tables, outdated, strict=True)
	)


def read_file(path: Path) -> pa.Table:
	"""All rows of a finished file; raises DamagedSnapshotError."""
	check_content(path)
	try:
		return pq.read_table(path)
	except FileNotFoundError as error:  # a run that publishes has removed it since
		raise DamagedSnapshotError(f"{path.name}: {error.strerror}") from error


def name_by_content(path: Path, kind: str) -> Path:
	"""Rename a finished file: the same rows, read again, make the same file."""
	return path.replace(path.with_name(f"{kind}-{_digest(path)}.parquet"))


def check_content(path: Path) -> None:
	"""Hold a file's content against its name; raises DamagedSnapshotError."""
	try:
		is_whole = path.stem.endswith(f"-{_digest(path)}")
	except OSError as error:
		raise DamagedSnapshotError(f"{path.name}: {error.strerror}") from error
	if not is_whole:
		raise DamagedSnapshotError(f"{path.name}: it is not what was written")


def _digest(path: Path) -> str:
	with path.open("rb") as file:
		return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=12)).hexdigest()
