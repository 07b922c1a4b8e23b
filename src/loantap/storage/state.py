"""The project's data in a bucket: objects named by digest, and one pointer to them."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from rich.console import Console
from rich.progress import Progress

import loantap
from loantap.portfolio.errors import InputError
from loantap.storage.bucket import Bucket, TryLaterError

POINTER = "state/current.json"
_OBJECTS, _HISTORY = "state/objects/", "state/history/"
# What a run reads and writes of data/.
LAYERS = (
	"00_sources",
	"01_raw",
	"02_intermediate",
	"03_primary",
	"04_feature",
	"05_model_input",
	"06_models",
	"07_model_output",
	"08_reporting",
)
_THREADS = 8
_GIT_VARIABLE = "LOANTAP_GIT_SHA"

_T = TypeVar("_T")
_R = TypeVar("_R")


class OvertakenError(TryLaterError):
	"""Another state was published since this one was restored."""


class StoredFile(BaseModel):
	"""A file of a state; its size is in bytes."""

	model_config = ConfigDict(frozen=True, extra="forbid")

	key: str
	size: int
	sha256: str


class Manifest(BaseModel):
	"""All files of a state by their path in the project's folder, and the run that published it.

	`git_sha` is that of the image, where it says so.
	"""

	model_config = ConfigDict(frozen=True, extra="forbid")

	run: str
	created: datetime
	version: str
	git_sha: str | None
	files: dict[str, StoredFile]

	@property
	def history_key(self) -> str:
		"""Where it is kept once it is not current; keys sort by age, the oldest first."""
		return f"{_HISTORY}{self.created:%Y%m%dT%H%M%S.%f}-{self.run}.json"


class State:
	"""What is published in a bucket; it remembers which state it has read.

	Methods raise what `Bucket` does, and `InputError` where a state cannot be read.
	"""

	def __init__(self, bucket: Bucket) -> None:
		self._bucket = bucket
		self._etag: str | None = None
		self.current: Manifest | None = None

	def read(self) -> Manifest | None:
		"""The current state; None before the first publication."""
		found = self._bucket.read(POINTER)
		self._etag = found.etag if found else None
		self.current = self._parse(POINTER, found.body) if found else None
		return self.current

	def list_runs(self) -> list[Manifest]:
		"""Every state that is kept, the current one first, then the newest."""
		keys = reversed(self._bucket.list_keys(_HISTORY))
		kept = [self._read_kept(key) for key in keys]
		now = self.read()
		return [now, *(each for each in kept if each.run != now.run)] if now else kept

	def find(self, run: str) -> Manifest:
		"""The state that a run published; `InputError` where there is none."""
		for manifest in self.list_runs():
			if manifest.run == run:
				return manifest
		raise InputError(
			f"bucket {self._bucket.name}", f"no state of run {run} is kept", "`loantap-task states` lists those that are"
		)

	def restore(self, project: Path, manifest: Manifest, only: Iterable[str] = (), *, replace: bool = False) -> int:
		"""Fetch a state's files into a project's folder; how many were fetched.

		`only`: files and folders of `data/` instead of all. With `replace`, files that differ, or are not of the state,
		give way; else they, or a damaged one, raise InputError.
		"""
		tops = tuple(only) or LAYERS
		wanted = {name: file for name, file in manifest.files.items() if _is_below(name, tops)}
		present = dict(
			zip(
				found := list(_list_files(project, tops)),
				_in_parallel("Looking", _digest, [project / each for each in found]),
				strict=True,
			)
		)
		same = {n for n, f in wanted.items() if n in present and present[n] == f.sha256}
		other = [name for name in present if name not in same]
		if other and not replace:
			raise InputError(
				f"file {project / other[0]}",
				f"it is not that of the state of run {manifest.run}, and {len(other)} in all are not",
				"Start in an empty folder, or `loantap-task restore --replace` gives them up",
			)
		for name in other:
			(project / name).unlink()
		missing = [(name, file) for name, file in wanted.items() if name not in same]
		_in_parallel("Restoring", lambda each: self._fetch(project / each[0], each[1]), missing)
		return len(missing)

	def publish(self, project: Path, run: str, require: Callable[[], None]) -> int:
		"""Publish what a folder holds in place of the state that was read; how many files went.

		`require`, called just before the last step, raises where the right to publish is gone; OvertakenError after
		another's.
		"""
		names = list(_list_files(project, LAYERS))
		digests = _in_parallel("Comparing", _digest, [project / name for name in names])
		files = {
			name: StoredFile(key=_OBJECTS + digest, size=(project / name).stat().st_size, sha256=digest)
			for name, digest in zip(names, digests, strict=True)
		}
		if self.current is not None and files == self.current.files:
			return 0
		sent = {file.key for file in self.current.files.values()} if self.current else set()
		new = {file.key: name for name, file in files.items() if file.key not in sent}
		_in_parallel("Publishing", lambda each: self._bucket.upload(project / each[1], each[0]), new.items())
		self._point_to(
			Manifest(
				run=run,
				created=datetime.now(UTC),
				version=loantap.__version__,
				git_sha=os.environ.get(_GIT_VARIABLE) or None,
				files=files,
			),
			require,
		)
		return len(new)

	def roll_back(self, manifest: Manifest, require: Callable[[], None]) -> None:
		"""Make an older state the current one; the one that was is kept."""
		self._point_to(manifest, require)

	def _point_to(self, manifest: Manifest, require: Callable[[], None]) -> None:
		if self.current is not None:
			self._bucket.write(self.current.history_key, _to_bytes(self.current))
		require()
		etag = self._bucket.write_if(POINTER, _to_bytes(manifest), self._etag)
		if etag is None:
			raise OvertakenError(
				f"bucket {self._bucket.name}",
				"another task has published since this one began",
				"Nothing was published; start the task again, which begins with the new state",
			)
		self.current, self._etag = manifest, etag

	def _fetch(self, path: Path, file: StoredFile) -> None:
		path.parent.mkdir(parents=True, exist_ok=True)
		# Hidden until it is whole.
		part = path.with_name(f".{path.name}.part")
		self._bucket.download(file.key, part)
		if part.stat().st_size != file.size or _digest(part) != file.sha256:
			part.unlink()
			raise InputError(
				f"bucket {self._bucket.name}",
				f"object {file.key}, for {path}, is not what was published",
				"Put an earlier version of the object back, or `loantap-task rollback` to an older state",
			)
		part.replace(path)

	def _read_kept(self, key: str) -> Manifest:
		found = self._bucket.read(key)
		return self._parse(key, found.body if found else b"")

	def _parse(self, key: str, body: bytes) -> Manifest:
		try:
			return Manifest.model_validate_json(body)
		except ValidationError as error:
			raise InputError(
				f"bucket {self._bucket.name}",
				f"{key} is not the record of a state that this release can read",
				"Use the release that wrote it, or put an earlier version of the object back",
			) from error


def _to_bytes(manifest: Manifest) -> bytes:
	return manifest.model_dump_json(indent=1).encode()


def _list_files(project: Path, tops: Iterable[str]) -> Iterator[str]:
	"""Paths from the project's folder, without hidden files: locks, half-written ones."""
	for top in sorted(set(tops)):
		place = project / "data" / top
		for path in [place] if place.is_file() else sorted(place.rglob("*")):
			name = path.relative_to(project)
			if path.is_file() and not any(part.startswith(".") for part in name.parts):
				yield name.as_posix()


def _is_below(name: str, tops: Iterable[str]) -> bool:
	return any(PurePosixPath(name).is_relative_to(PurePosixPath("data", top)) for top in tops)


def _digest(path: Path) -> str:
	with path.open("rb") as file:
		return hashlib.file_digest(file, "sha256").hexdigest()


def _in_parallel(label: str, do: Callable[[_T], _R], items: Iterable[_T]) -> list[_R]:
	"""Results in order; the first error, or Ctrl-C, ends it."""
	todo = list(items)
	with Progress(console=Console(stderr=True), transient=True) as progress:
		pool = ThreadPoolExecutor(_THREADS)
		try:
			return list(progress.track(pool.map(do, todo), total=len(todo), description=label))
		finally:
			pool.shutdown(cancel_futures=True)
