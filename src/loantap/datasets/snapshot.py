"""A source table's rows as extracted, in a folder of Parquet files."""

import errno
import logging
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout
from kedro.io import AbstractDataset

from loantap.datasets.staged import StagedFile
from loantap.portfolio.errors import InputError
from loantap.project.journal import Rename
from loantap.snapshots.extraction import Extraction
from loantap.snapshots.manifest import (
	MANIFEST,
	SPILL,
	Manifest,
	check_parts,
	read_manifest,
	read_outdated,
	remove_unlisted,
)
from loantap.snapshots.parts import PART_ROWS, DamagedSnapshotError, read_rows, read_table
from loantap.snapshots.refresh import Refresh

# A full disk, a quota, or a limit on the size of files.
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

logger = logging.getLogger(__name__)


class SnapshotRows:
	"""The rows of a snapshot, read as they are asked for; a `LongTable`."""

	def __init__(self, folder: Path, manifest: Manifest) -> None:
		self._folder = folder
		self._manifest = manifest

	def __len__(self) -> int:
		return self._manifest.rows

	def scan(self, columns: Collection[str] | None = None) -> pa.RecordBatchReader:
		"""All columns, or those named."""
		schema = pq.read_schema(self._folder / self._manifest.parts[0].name)
		names = [name for name in schema.names if columns is None or name in columns]
		kept = pa.schema([schema.field(name) for name in names])
		return pa.RecordBatchReader.from_batches(kept, self._read(kept))

	def _read(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
		try:
			outdated = read_outdated(self._manifest, self._folder)
			for part, mask in zip(self._manifest.parts, outdated, strict=True):
				for batch in read_rows(self._folder / part.name, ~mask, schema.names):
					yield batch.cast(schema)
		except DamagedSnapshotError as error:
			raise _damaged(self._folder, error) from error


class SnapshotDataset(AbstractDataset[Extraction, pd.DataFrame | SnapshotRows]):
	"""Carries out an extraction: reads what changed at the source, or every row where it must.

	A snapshot is a list, `manifest.json`, of Parquet files and of rows in them that no longer count. Files never
	change, and publishing replaces the list in one step, so the last good snapshot can always be read. Memory does not
	grow with the table. From saving to publishing the run has the folder to itself.

	Args:
		in_batches: whether it loads as `SnapshotRows`, to be read in batches, or as a frame.
	"""

	def __init__(
		self, *, filepath: str, in_batches: bool = False, part_rows: int = PART_ROWS, metadata: dict[str, Any] | None = None
	) -> None:
		self._folder = Path(filepath)
		self._list = StagedFile(self._folder / MANIFEST)
		# The system lets go of it with the process; it is held over several nodes, hence threads.
		self._lock = FileLock(
			self._folder.with_name(f".{self._folder.name}.lock"),
			timeout=0,
			thread_local=False,
			# A killed process would leave it behind and shut out the next.
			fallback_to_soft=False,
		)
		self._in_batches = in_batches
		self._part_rows = part_rows
		self.metadata = metadata

	def load(self) -> pd.DataFrame | SnapshotRows:
		"""All rows, typed as in the source.

		Raises:
			InputError: a file is missing or damaged.
		"""
		try:
			if self._in_batches:
				return SnapshotRows(self._folder, read_manifest(self._list.current))
			table = self._read_latest()
		except DamagedSnapshotError as error:
			raise _damaged(self._folder, error) from error
		# Each column goes once converted, or there would be two copies of all.
		rows: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
		return rows

	def _read_latest(self) -> pa.Table:
		"""The rows; from the new list where a run published one meanwhile."""
		manifest = read_manifest(self._list.current)
		while True:
			try:
				paths = [self._folder / part.name for part in manifest.parts]
				return read_table(paths, read_outdated(manifest, self._folder))
			except DamagedSnapshotError:
				latest = read_manifest(self._list.current)
				if latest == manifest:
					raise
				manifest = latest

	def save(self, data: Extraction) -> None:
		"""Bring the snapshot up to date; nothing is written where nothing has changed.

		Raises:
			InputError, SourceDownError: the source cannot be read, the disk is full, or another run has the folder.
		"""
		with _naming_a_full_disk(self._folder):
			self._folder.mkdir(parents=True, exist_ok=True)
			self._claim()
		try:
			self._forget()
			with _naming_a_full_disk(self._folder):
				held = self._find_last_good()
				made = Refresh(data, self._folder, held, self._part_rows).run()
				if held is None or not made.has_rows_of(held):
					with self._list.writing() as path:
						path.write_text(made.model_dump_json(indent=1), encoding="utf-8")
		except BaseException:
			self.discard()
			raise

	@property
	def filepath(self) -> Path:
		"""The list, which is what is published."""
		return self._list.path

	def renames(self) -> list[Rename]:
		"""See `FilePublishable`."""
		return self._list.renames

	def publish(self) -> None:
		"""See `Publishable`."""
		if self._lock.is_locked:
			# What fails is still there to be discarded.
			self._list.publish()
			self._remove_leftovers()
			self._lock.release()

	def discard(self) -> None:
		"""See `Publishable`."""
		if self._lock.is_locked:
			try:
				self._forget()
			finally:
				self._lock.release()

	def _claim(self) -> None:
		if self._lock.is_locked:  # by an earlier save of this run
			return
		try:
			self._lock.acquire()
		except Timeout as error:
			raise InputError(
				f"snapshot {self._folder}",
				"another run is bringing it up to date",
				"Run again when that one has ended; `fuser -v` on "
				f"{self._lock.lock_file} names its process, perhaps a notebook that saved and did "
				"not publish",
			) from error
		except OSError as error:
			if error.errno in _NO_ROOM:
				raise
			raise InputError(
				f"snapshot {self._folder}",
				f"it cannot be locked ({error})",
				"Put data/01_raw on a disk that can be written to and that has file locks, such as a local one, NFS or EFS",
			) from error

	def _forget(self) -> None:
		self._list.discard()
		self._remove_leftovers()

	def _find_last_good(self) -> Manifest | None:
		if not self._list.path.exists():
			return None
		try:
			manifest = read_manifest(self._list.path)
			check_parts(manifest, self._folder)
		except DamagedSnapshotError as error:
			logger.warning("snapshot %s: %s. Every row is read anew", self._folder, error)
			return None
		return manifest

	def _remove_leftovers(self) -> None:
		try:
			listed = read_manifest(self._list.path) if self._list.path.exists() else None
		except DamagedSnapshotError:
			return
		remove_unlisted(self._folder, listed)
		self._list.remove_leftovers()
		shutil.rmtree(self._folder / SPILL, ignore_errors=True)

	def _exists(self) -> bool:
		return self._list.current.exists()

	def _describe(self) -> dict[str, Any]:
		return {"filepath": str(self._folder)}


def _damaged(folder: Path, error: DamagedSnapshotError) -> InputError:
	return InputError(
		f"snapshot {folder}",
		f"it is damaged ({error})",
		"Read the source again: `kedro run --pipelines ingestion --params since=all`",
	)


@contextmanager
def _naming_a_full_disk(folder: Path) -> Iterator[None]:
	try:
		yield
	except OSError as error:
		if error.errno not in _NO_ROOM:
			raise
		raise InputError(
			f"snapshot {folder}",
			f"there is no room for it ({error})",
			"Make room on that disk, twice the size of the table, and run again; the last good snapshot is as it was",
		) from error
