"""Files that appear only when the run that made them has succeeded."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import Any, Protocol, runtime_checkable

from kedro.io import AbstractDataset, DatasetError
from matplotlib.figure import Figure

from loantap.portfolio.errors import InputError
from loantap.project.journal import Rename
from loantap.project.lock import RUN

# Names of the files in a folder that is one table.
PARTS = "part-*.parquet"
# A full disk, a quota, a limit on the size of files; rights, a read-only disk, a file for a folder.
_REFUSED = {
	errno.ENOSPC,
	errno.EDQUOT,
	errno.EFBIG,
	errno.EACCES,
	errno.EPERM,
	errno.EROFS,
	errno.ENOTDIR,
	errno.EEXIST,
}


@runtime_checkable
class Publishable(Protocol):
	"""A dataset that holds back what it saved until the run has ended."""

	def publish(self) -> None:
		"""Put what was saved in the place of the last good output."""

	def discard(self) -> None:
		"""Forget what was saved; the last good output stays."""


@runtime_checkable
class FilePublishable(Publishable, Protocol):
	"""One whose output is a file, or a folder of parts."""

	@property
	def filepath(self) -> Path:
		"""Where it is published."""

	def renames(self) -> list[Rename]:
		"""What publishing renames; [] where nothing was saved."""


def staging_path(path: Path, run: str = RUN) -> Path:
	"""Where a file of a run waits: beside its final place, so that publishing is one rename."""
	return path.with_name(f".{path.stem}.{run}.staged{path.suffix}")


def find_current(path: Path) -> Path:
	"""What a reader in this run should see of a file that another dataset writes."""
	staged = staging_path(path)
	return staged if staged.exists() else StagedFile(path).current


def rename_into_place(staged: Path, path: Path) -> None:
	"""Put what is staged in the place of the last good file; done again, it does no harm.

	A file is replaced in one step. A folder can't be: the last good one steps aside first, and counts should the run be
	killed between.
	"""
	if staged.exists():
		if _holds_parts(path) or (staged.is_dir() and path.is_file()):
			remove_staged(_aside(path))
			path.replace(_aside(path))
		staged.replace(path)
	if path.exists():
		remove_staged(_aside(path))


def with_types(path: Path) -> Path:
	"""Where the rows of a staged file are with their types: in the file, or beside a CSV."""
	return path.with_name(f"{path.name}.parquet") if is_csv(path) else path


def is_csv(path: Path) -> bool:
	"""Whether a file is a CSV, by its name."""
	return path.suffix.lower() == ".csv"


def remove_staged(path: Path) -> None:
	"""Remove what waits at a staging name, a file or a folder; of a CSV its types as well."""
	if path.is_dir():
		shutil.rmtree(path)
		return
	for each in {path, with_types(path)}:
		each.unlink(missing_ok=True)


class StagedFile:
	"""The two places of a file, or of a folder of parts: where it waits, and where it goes."""

	def __init__(self, path: str | Path) -> None:
		self.path = Path(path)
		self.staged = staging_path(self.path)
		# Not looked up: a killed run may have left a staged file.
		self._is_staged = False

	@property
	def current(self) -> Path:
		"""What a reader in this run should see."""
		if self._is_staged:
			return self.staged
		aside = _aside(self.path)
		return aside if aside.exists() and not self.path.exists() else self.path

	@property
	def renames(self) -> list[Rename]:
		"""What publishing renames."""
		return [Rename(staged=self.staged, path=self.path)] if self._is_staged else []

	@contextmanager
	def writing(self) -> Iterator[Path]:
		"""Give the path to write to; keeps nothing when the writing fails.

		Raises:
			InputError: the disk is full, or the folder cannot be written to.
		"""
		try:
			self.path.parent.mkdir(parents=True, exist_ok=True)
			yield self.staged
		except BaseException as error:
			with suppress(OSError):
				self.discard()
			if (cause := _find_cause(error)) is not None:
				raise InputError(
					f"file {self.path}",
					f"it cannot be written ({cause.strerror or cause})",
					"Make room there, or give yourself the right to write; nothing of this run is published",
				) from error
			raise
		self._is_staged = True

	def publish(self) -> None:
		"""Rename the staged file into place; nothing happens where none is staged."""
		for rename in self.renames:
			rename_into_place(rename.staged, rename.path)
		self._is_staged = False

	def remove_leftovers(self) -> None:
		"""Remove what killed runs have staged here; for who has the place to themselves."""
		any_run = staging_path(self.path, "*")
		for name in {any_run.name, with_types(any_run).name}:
			for path in self.path.parent.glob(name):
				if path not in {self.staged, with_types(self.staged)} or not self._is_staged:
					remove_staged(path)

	def discard(self) -> None:
		"""Remove the staged file."""
		remove_staged(self.staged)
		self._is_staged = False


def _find_cause(error: BaseException | None) -> OSError | None:
	"""What the system refused; None for anything else."""
	while error is not None:
		if isinstance(error, OSError) and error.errno in _REFUSED:
			return error
		error = error.__cause__
	return None


def _aside(path: Path) -> Path:
	return path.with_name(f".{path.stem}.aside{path.suffix}")


def _holds_parts(path: Path) -> bool:
	"""Somebody else's folder is not replaced."""
	names = [found.name for found in path.iterdir()] if path.is_dir() else []
	return bool(names) and all(PurePath(name).match(PARTS) for name in names)


class StagedDataset(AbstractDataset[Any, Any]):
	"""Any file dataset, written to a staging name and renamed when the run succeeds.

	A failed run changes nothing; within the run the staged file is read.

	Args:
		optional: whether a file that is not there is loaded as None.
	"""

	def __init__(
		self, *, dataset: dict[str, Any], optional: bool = False, metadata: dict[str, Any] | None = None
	) -> None:
		self._is_optional = optional
		self._file = StagedFile(dataset["filepath"])
		self._config = dataset
		self._published = self._make(self._file.path)
		self.metadata = metadata
		# Bound per instance, for Kedro-Viz, where there is a preview.
		if hasattr(self._published, "preview"):
			self.preview = self._published.preview

	@property
	def filepath(self) -> Path:
		"""Where the file is published."""
		return self._file.path

	@property
	def current(self) -> Path:
		"""The file this run saved, or else the last good one."""
		return self._file.current

	def load(self) -> Any:
		"""Load what this run saved, or else the last good output."""
		if self._is_optional and not self._file.current.exists():
			return None
		return self._make(self._file.current).load()

	def save(self, data: Any) -> None:
		"""Write to the staging name."""
		with self._file.writing() as path:
			self._make(path).save(data)

	def renames(self) -> list[Rename]:
		"""See `FilePublishable`."""
		return self._file.renames

	def publish(self) -> None:
		"""See `Publishable`."""
		self._file.publish()

	def discard(self) -> None:
		"""See `Publishable`."""
		self._file.discard()

	def _make(self, path: Path) -> AbstractDataset[Any, Any]:
		return AbstractDataset.from_config("staged", self._config | {"filepath": str(path)})

	def _exists(self) -> bool:
		return self._is_optional or self._file.current.exists()

	def _describe(self) -> dict[str, Any]:
		return {"filepath": str(self._file.path), "type": type(self._published).__name__}


class FigureDataset(StagedDataset):
	"""A Matplotlib figure, saved as a picture; later nodes of a run get the figure itself."""

	def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
		picture = {"type": "matplotlib.MatplotlibDataset", "filepath": filepath, "save_args": {"dpi": 120}}
		super().__init__(dataset=picture, metadata=metadata)
		self._figure: Figure | None = None

	def load(self) -> Figure:
		"""The figure that this run drew; DatasetError where it drew none."""
		if self._figure is None:
			raise DatasetError(
				f"plot {self.filepath.name}: it was not drawn in this run, and a picture cannot be "
				"drawn again. Start from the node that draws it, or run the whole pipeline"
			)
		return self._figure

	def save(self, data: Figure) -> None:
		"""Write the picture to the staging name, and keep the figure."""
		super().save(data)
		self._figure = data
