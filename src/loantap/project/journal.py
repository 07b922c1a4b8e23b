"""What is being published, written down first, so that the next run can complete it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from loantap.portfolio.errors import InputError

_NAMES = "publication-*.json"
_UNFINISHED = ".publication.json"


class Rename(BaseModel):
	"""A file, or folder of parts, that waits to take its place."""

	model_config = ConfigDict(frozen=True)

	staged: Path
	path: Path


class Conclusion(BaseModel):
	"""The verdict on a registered version; `displaced` was champion when it was judged, if any."""

	model_config = ConfigDict(frozen=True)

	name: str
	version: str
	promoted: bool
	reason: str
	displaced: str | None


class Journal(BaseModel):
	"""All that one run publishes; what is in it has happened, or will. Paths are the project's.

	Attributes:
		run: marked on the databases of ours in the transaction that changes them.
		tables: in each database file of ours, one of the tables that carry the mark.
		committed: whether the databases are known to have changed.
	"""

	model_config = ConfigDict(frozen=True)

	run: str
	tables: dict[Path, str]
	committed: bool
	files: tuple[Rename, ...]
	registry: str
	models: tuple[Conclusion, ...]

	def write(self, folder: Path) -> None:
		"""Write it down, on the disk when this returns."""
		path = self.place(folder)
		staged = folder / _UNFINISHED
		with staged.open("w", encoding="utf-8") as file:
			file.write(self.model_dump_json(indent=1))
			file.flush()
			os.fsync(file.fileno())
		staged.replace(path)
		_sync(folder)

	def commit(self, folder: Path) -> Self:
		"""Write down that the databases have changed."""
		committed = self.model_copy(update={"committed": True})
		committed.write(folder)
		return committed

	def remove(self, folder: Path) -> None:
		"""There is nothing left to do."""
		self.place(folder).unlink(missing_ok=True)

	def place(self, folder: Path) -> Path:
		"""Where it lies."""
		return folder / _NAMES.replace("*", self.run)


def read_journals(folder: Path) -> Iterator[Journal]:
	"""Publications that were begun and not ended, oldest first; one half written is none.

	Raises:
		InputError: one was written by another release.
	"""
	(folder / _UNFINISHED).unlink(missing_ok=True)
	for path in sorted(folder.glob(_NAMES), key=lambda found: found.stat().st_mtime):
		try:
			yield Journal.model_validate_json(path.read_bytes())
		except ValidationError as error:
			# It appears by a rename, whole, so another release wrote it.
			raise InputError(
				f"file {path}",
				"a run of another release was killed while it published, and this record of it "
				"can only be read by that release",
				"Run once with that release, which completes it, or remove the file",
			) from error


def _sync(folder: Path) -> None:
	opened = os.open(folder, os.O_RDONLY)
	try:
		os.fsync(opened)
	finally:
		os.close(opened)
