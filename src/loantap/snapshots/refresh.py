"""Brings a snapshot up to date with its source, reading no more than it has to."""

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from loantap.databases.source_table import Account
from loantap.portfolio.errors import InputError
from loantap.snapshots.extraction import Extraction, show_progress
from loantap.snapshots.manifest import Manifest, comparing, name_types, read_outdated, remove_unlisted, write_outdated
from loantap.snapshots.parts import (
	GROUP_ROWS,
	DamagedSnapshotError,
	Mask,
	Part,
	describe_part,
	read_rows,
	write_parts,
	writing_parts,
)

# Share of a part's rows; more of them would cost readers more than writing it anew.
_MAX_OUTDATED = 0.2

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Rows:
	"""Rows from the source, in parts that no manifest lists yet."""

	schema: pa.Schema
	parts: tuple[Part, ...]

	@property
	def number(self) -> int:
		return sum(part.rows for part in self.parts)


class Refresh:
	"""One extraction into a folder of parts of at most `part_rows` rows.

	`held` is the last good state, all of whose parts stay; None when there is none.
	"""

	def __init__(self, extraction: Extraction, folder: Path, held: Manifest | None, part_rows: int) -> None:
		self._extraction = extraction
		self._source = extraction.source
		self._folder = folder
		self._held = held
		self._part_rows = part_rows
		self._small = min(GROUP_ROWS, part_rows)

	def run(self) -> Manifest:
		"""The new state: the last good one with what changed since, or all rows of the source.

		Raises:
			InputError, SourceDownError: no answer, or other rows than counted. OSError: the disk is full.
		"""
		with self._source.in_time():
			return self._refresh()

	def _refresh(self) -> Manifest:
		held = self._held
		if held is None:
			if self._extraction.since not in (None, "all"):
				self._say("there is no snapshot yet, so every row is read")
			return self._read_all()
		if (held.fingerprint, held.key) != (self._source.fingerprint, self._source.key):
			self._say("the snapshot is of another source or query, so every row is read")
			return self._read_all()
		watermark = self._extraction.watermark(held.last_update, held.as_of)
		if watermark is None:
			return self._read_all()
		return self._read_changes(held, watermark) or self._read_all()

	def _read_all(self) -> Manifest:
		self._remove_leftovers()
		before = self._count(None)
		rows = self._read(None, before.rows)
		if rows.number != before.rows and before == self._count(None):
			raise InputError(
				self._source.where,
				f"{rows.number:,} rows were read of {before.rows:,}: rows were lost or doubled",
				"Run again; should it happen again, look for a fault of the driver",
			)
		self._say(f"all {rows.number:,} rows were read")
		return self._list(rows.parts, rows.schema)

	def _read_changes(self, held: Manifest, watermark: datetime) -> Manifest | None:
		"""None where only reading every row helps."""
		before = self._count(watermark)
		if before.updated * 2 > before.rows:
			self._say(f"more than half of the rows changed since {watermark}, so every row is read")
			return None
		delta = self._read(watermark, before.updated)
		after = self._count(watermark)
		if name_types(delta.schema) != held.columns:
			self._say("the columns are of other types than in the snapshot, so every row is read")
			return None
		try:
			made, new_rows = self._merge(held, delta, watermark)
		except (DamagedSnapshotError, OSError, pa.ArrowInvalid, duckdb.Error) as error:
			if getattr(error, "errno", None) is not None:  # the disk's fault, not a file's
				raise
			self._warn(f"the snapshot cannot be read ({str(error).splitlines()[0]})")
			return None
		if not _agree(made, delta.number, before, after):
			self._warn(
				f"with what changed since {watermark} the snapshot has {made.rows:,} rows, updated "
				f"from {made.first_update} to {made.last_update}; the table has {after.rows:,}, "
				f"from {after.first_update} to {after.last_update}: rows were removed from it, or "
				f"it was built anew"
			)
			return None
		self._say(f"{new_rows:,} of {made.rows:,} rows are new since {watermark}")
		return made

	def _read(self, since: datetime | None, total: int) -> _Rows:
		"""From the beginning where the connection breaks."""

		def attempt() -> _Rows:
			try:
				with self._source.read(since) as reader:
					# Whether a column may be missing changes from read to read.
					schema = pa.schema([(field.name, field.type) for field in reader.schema])
					batches = show_progress(reader, self._folder.name, total)
					parts = write_parts(self._folder, schema, batches, self._part_rows)
					return _Rows(schema, parts)
			except BaseException:
				self._remove_leftovers()
				raise

		return self._source.persist(attempt)

	def _merge(self, held: Manifest, delta: _Rows, watermark: datetime) -> tuple[Manifest, int]:
		"""The rows held without what is outdated, behind them the new ones; and how many are new.

		A part is written anew when much of it is outdated, or, the last one, when it is small.
		"""
		folder, key, columns = self._folder, self._source.key, list(held.columns)
		masks: dict[int, Mask] = {}
		with (
			comparing(folder, key, columns, watermark) as comparison,
			writing_parts(folder, delta.schema, self._part_rows) as writer,
		):
			known = read_outdated(held, folder)
			if not comparison.find_changes(held.parts, known, delta.parts):
				return held, 0
			new = [comparison.mark_new(part) for part in delta.parts]
			for part, before in zip(held.parts, known, strict=True):
				path, outdated = folder / part.name, comparison.mark_outdated(part, before)
				has_room = part == held.parts[-1] and part.file_rows < self._small
				if has_room or outdated.sum() > _MAX_OUTDATED * part.file_rows:
					writer.write(read_rows(path, ~outdated))
				else:
					is_same = (outdated == before).all()
					place = writer.keep(part if is_same else describe_part(path, outdated))
					masks[place] = outdated
			for part, mask in zip(delta.parts, new, strict=True):
				writer.write(read_rows(folder / part.name, mask))
			parts = writer.complete()
		made = self._list(parts, delta.schema, watermark, write_outdated(folder, masks))
		return made, sum(int(mask.sum()) for mask in new)

	def _list(
		self, parts: tuple[Part, ...], schema: pa.Schema, since: datetime | None = None, outdated: str | None = None
	) -> Manifest:
		return Manifest(
			source=self._source.where,
			fingerprint=self._source.fingerprint,
			key=self._source.key,
			columns=name_types(schema),
			parts=parts,
			outdated=outdated,
			since=since,
			as_of=self._extraction.as_of,
		)

	def _count(self, since: datetime | None) -> Account:
		return self._source.persist(lambda: self._source.account(since))

	def _remove_leftovers(self) -> None:
		remove_unlisted(self._folder, self._held)

	def _say(self, text: str) -> None:
		# What was read of our own file is of no interest.
		level = logging.DEBUG if self._source.is_embedded else logging.INFO
		logger.log(level, "%s: %s", self._source.where, text)

	def _warn(self, text: str) -> None:
		logger.warning("%s: %s. Every row is read anew", self._source.where, text)


def _agree(made: Manifest, delta_rows: int, before: Account, after: Account) -> bool:
	"""Exactly those of the source, unless it changed while it was read."""
	pairs = [
		(made.rows, before.rows, after.rows),
		(made.first_update, before.first_update, after.first_update),
		(made.last_update, before.last_update, after.last_update),
		(delta_rows, before.updated, after.updated),
	]
	return all(_lies_between(found, one, other) for found, one, other in pairs)


def _lies_between(found: Any, one: Any, other: Any) -> bool:
	if None in (found, one, other):
		return found in (one, other)
	return bool(min(one, other) <= found <= max(one, other))
