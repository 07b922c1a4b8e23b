"""What a snapshot is made of: a list of files, and which of their rows count or have been replaced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from loantap.portfolio.dictionary import UPDATED_AT
from loantap.snapshots.parts import UNFINISHED, DamagedSnapshotError, Mask, Part, name_by_content, read_file
from loantap.tables.database import connect

if TYPE_CHECKING:
	import duckdb

MANIFEST = "manifest.json"
_KINDS = ("part", "outdated")
# For what exceeds the memory; gone when the comparison has ended.
SPILL = ".spill"
_ROWS = "read_parquet(?, file_row_number = true) AS held"
_IS_RECENT = f"(held.{UPDATED_AT.name} >= ? OR held.{UPDATED_AT.name} IS NULL)"
_IS_ALIVE = "file_row_number NOT IN (SELECT position FROM outdated)"


class Manifest(BaseModel):
	"""What a snapshot is made of; a file that is not listed is not in it.

	Attributes:
		fingerprint: digest of system, table and query.
		parts: in order, at least one.
		outdated: the file that says which rows do not count, if any.
		since: from which update the source was last read, UTC; None when in full.
	"""

	model_config = ConfigDict(frozen=True, extra="forbid")

	version: Literal[1] = 1
	source: str
	fingerprint: str
	key: tuple[str, ...]
	columns: dict[str, str]
	parts: tuple[Part, ...]
	outdated: str | None
	since: datetime | None
	as_of: date

	@property
	def rows(self) -> int:
		"""Number of rows."""
		return sum(part.rows for part in self.parts)

	@property
	def first_update(self) -> datetime | None:
		"""Earliest update, UTC; None when no row has one."""
		return min((p.first_update for p in self.parts if p.first_update), default=None)

	@property
	def last_update(self) -> datetime | None:
		"""Latest update, UTC; None when no row has one."""
		return max((p.last_update for p in self.parts if p.last_update), default=None)

	@property
	def files(self) -> set[str]:
		"""Names of all files but the list itself."""
		return {part.name for part in self.parts} | ({self.outdated} if self.outdated else set())

	def has_rows_of(self, other: Manifest) -> bool:
		"""Whether both are the same rows of the same table, whenever they were read."""
		return self == other.model_copy(update={"since": self.since, "as_of": self.as_of})


def name_types(schema: pa.Schema) -> dict[str, str]:
	"""Type of each column, in order."""
	return {field.name: str(field.type) for field in schema}


def read_manifest(path: Path) -> Manifest:
	"""The list in a file; raises DamagedSnapshotError where it is none."""
	try:
		return Manifest.model_validate_json(path.read_bytes())
	except (OSError, ValidationError) as error:
		raise DamagedSnapshotError(f"{path.name}: {str(error).splitlines()[0]}") from error


def check_parts(manifest: Manifest, folder: Path) -> None:
	"""Look at each part's size and columns, not at its rows, which are checked as they are read.

	Raises:
		DamagedSnapshotError: a part cannot be opened, or is another.
	"""
	for part in manifest.parts:
		try:
			found = pq.read_metadata(folder / part.name)
		except (OSError, pa.ArrowInvalid) as error:
			raise DamagedSnapshotError(f"{part.name}: {str(error).splitlines()[0]}") from error
		columns = name_types(found.schema.to_arrow_schema())
		if (found.num_rows, columns) != (part.file_rows, manifest.columns):
			raise DamagedSnapshotError(f"{part.name}: it is not what was written")


def write_outdated(folder: Path, masks: Mapping[int, Mask]) -> str | None:
	"""Write by part, in order, which of its rows are outdated; None when all count."""
	positions = {place: np.flatnonzero(mask) for place, mask in masks.items()}
	parts = np.repeat(list(positions), [len(found) for found in positions.values()])
	if not len(parts):
		return None
	path = folder / UNFINISHED
	table = pa.table({"part": parts, "position": np.concatenate(list(positions.values()))})
	pq.write_table(table, path)
	return name_by_content(path, "outdated").name


def read_outdated(manifest: Manifest, folder: Path) -> list[Mask]:
	"""Of each part, in order, whether a row is outdated; raises DamagedSnapshotError."""
	masks = [np.zeros(part.file_rows, dtype="bool") for part in manifest.parts]
	if manifest.outdated is not None:
		table = read_file(folder / manifest.outdated)
		parts, positions = (column.to_numpy() for column in table.columns)
		for place, mask in enumerate(masks):
			mask[positions[parts == place]] = True
	return masks


def remove_unlisted(folder: Path, manifest: Manifest | None) -> None:
	"""Remove what failed attempts and killed runs left; files of other kinds stay."""
	listed = manifest.files if manifest else set()
	found = (path for kind in _KINDS for path in folder.glob(f"{kind}-*.parquet"))
	for path in (*(path for path in found if path.name not in listed), folder / UNFINISHED):
		path.unlink(missing_ok=True)


class Comparison:
	"""What is not the same in a snapshot and in a delta of the same table.

	A delta holds every row as recent as the `watermark` (UTC), or without time of update. A recent row of the snapshot
	is outdated unless the delta holds it too (as often); an older one when the delta has another row of its key. Rows
	without a whole `key` take no older row's place.
	"""

	def __init__(
		self,
		connection: duckdb.DuckDBPyConnection,
		folder: Path,
		key: Sequence[str],
		columns: Sequence[str],
		watermark: datetime,
	) -> None:
		self._connection = connection
		self._folder = folder
		self._key = [_quote(name) for name in key]
		# Rows are compared by 64 bits of their content, within a key.
		self._content = f"hash({', '.join(map(_quote, columns))})"
		self._watermark = watermark

	def find_changes(self, snapshot: Sequence[Part], outdated: Sequence[Mask], delta: Sequence[Part]) -> bool:
		"""Whether the parts of snapshot and delta differ; to be asked before rows are marked.

		`outdated` are the snapshot's rows that no longer count.
		"""
		key = ", ".join(self._key)
		self._connection.execute(
			f"CREATE TEMP TABLE contents AS "  # noqa: S608 (names of columns, quoted)
			f"SELECT {key}, {self._content} AS content, 1 AS one FROM {_ROWS}",
			[[self._path(part) for part in delta]],
		)
		for part, dead in zip(snapshot, outdated, strict=True):
			if part.may_hold_since(self._watermark):
				self._set_outdated(dead)
				self._connection.execute(
					f"INSERT INTO contents SELECT {key}, {self._content}, -1 "  # noqa: S608
					f"FROM {_ROWS} WHERE {_IS_RECENT} AND {_IS_ALIVE}",
					[self._path(part), self._watermark],
				)
		self._connection.execute(
			f"CREATE TEMP TABLE changed AS SELECT {key}, bool_or(excess > 0) AS is_new "  # noqa: S608
			f"FROM (SELECT {key}, content, sum(one) AS excess FROM contents GROUP BY ALL) "
			f"WHERE excess <> 0 GROUP BY ALL"
		)
		return self._connection.execute("FROM changed LIMIT 1").fetchall() != []

	def mark_outdated(self, part: Part, outdated: Mask) -> Mask:
		"""Rows of a part of the snapshot that do not count, be it as before."""
		is_whole = " AND ".join(f"held.{name} IS NOT NULL" for name in self._key)
		condition = f"({_IS_RECENT} OR is_new AND {is_whole})"
		return outdated | self._mark(part, condition, [self._watermark])

	def mark_new(self, part: Part) -> Mask:
		"""Rows of a part of the delta that come in the place of outdated ones, or none."""
		return self._mark(part, "true", [])

	def _mark(self, part: Part, condition: str, parameters: Sequence[datetime]) -> Mask:
		same = " AND ".join(f"held.{name} IS NOT DISTINCT FROM changed.{name}" for name in self._key)
		found = self._connection.execute(
			f"SELECT file_row_number AS position FROM {_ROWS} "  # noqa: S608 (as above)
			f"JOIN changed ON {same} WHERE {condition}",
			[self._path(part), *parameters],
		).fetchnumpy()
		mask = np.zeros(part.file_rows, dtype="bool")
		mask[found["position"]] = True
		return mask

	def _set_outdated(self, outdated: Mask) -> None:
		self._connection.register("outdated", pa.table({"position": np.flatnonzero(outdated)}))

	def _path(self, part: Part) -> str:
		return str(self._folder / part.name)


@contextmanager
def comparing(folder: Path, key: Sequence[str], columns: Sequence[str], watermark: datetime) -> Iterator[Comparison]:
	"""A comparison of parts in a folder, in bounded memory."""
	with connect(scratch=folder / SPILL) as connection:
		yield Comparison(connection, folder, key, columns, watermark)


def _quote(name: str) -> str:
	return '"' + name.replace('"', '""') + '"'
