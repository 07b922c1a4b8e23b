"""The last good champion, with which scoring goes on while the registry is down.

An archive per registered name, which appears whole, holds the version's files and digests.
"""

import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from pydantic import BaseModel, ConfigDict

from loantap.model.scoring.trained import TrainedModel
from loantap.portfolio.errors import InputError
from loantap.project.folder import find_project
from loantap.registry.connection import registry_address
from loantap.registry.models import ModelVersion
from loantap.registry.reading import FILES, UnreadableModelError, read_model

# By default with the project's models.
FOLDER_VARIABLE = "LOANTAP_MODEL_CACHE"
_DEFAULT_FOLDER = "data/06_models/last_good"
_INDEX = "index.json"
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400

logger = logging.getLogger(__name__)


class _Index(BaseModel):
	model_config = ConfigDict(frozen=True)

	registry: str
	version: str
	sha256: dict[str, str]


@dataclass(frozen=True, slots=True)
class LastGood:
	"""A champion that was kept, and its folder; `confirmed` is seconds since the registry last said it is champion."""

	model: ModelVersion
	folder: Path
	confirmed: float

	@property
	def age(self) -> str:
		"""The age of that confirmation in words."""
		for length, unit in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
			if self.confirmed >= length:
				count = int(self.confirmed // length)
				return f"{count} {unit}{'s' if count > 1 else ''} ago"
		return "less than a minute ago"


def keep(model: ModelVersion, files: Path) -> None:
	"""Keep a loaded champion in place of the one before; a failure is only told."""
	archive = _archive(model.name)
	index = _Index(
		registry=registry_address(),
		version=model.version,
		sha256={name: _digest((files / name).read_bytes()) for name in FILES},
	)
	try:
		if _read_index(archive) == index:
			os.utime(archive)
			return
		archive.parent.mkdir(parents=True, exist_ok=True)
		with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
			staged = Path(folder) / archive.name
			with ZipFile(staged, "w") as written:
				written.writestr(_INDEX, index.model_dump_json())
				for name in FILES:
					written.write(files / name, name)
			staged.replace(archive)
	except OSError as error:
		logger.warning("No copy of %s could be kept for when the registry is down: %s", model, error)


def recall(name: str, folder: Path) -> LastGood | None:
	"""Put a name's last good champion of this registry into a folder, if one was kept; one that is damaged is told."""
	archive = _archive(name)
	index = _read_index(archive)
	if index is None or index.registry != registry_address():
		return None
	try:
		with ZipFile(archive) as kept:
			contents = {file: kept.read(file) for file in FILES}
	except (BadZipFile, KeyError, OSError) as error:
		logger.warning("The last good model in %s is damaged: %s", archive, error)
		return None
	changed = [f for f, content in contents.items() if _digest(content) != index.sha256.get(f)]
	if changed:
		logger.warning("The last good model in %s is damaged: %s", archive, ", ".join(changed))
		return None
	for file, content in contents.items():
		(folder / file).write_bytes(content)
	confirmed = time.time() - archive.stat().st_mtime
	return LastGood(ModelVersion(name, index.version), folder, confirmed)


def is_kept(name: str) -> bool:
	"""Whether a champion of this registry was kept under a name."""
	index = _read_index(_archive(name))
	return index is not None and index.registry == registry_address()


def _archive(name: str) -> Path:
	given = os.environ.get(FOLDER_VARIABLE)
	folder = Path(given) if given else find_project(Path.cwd()) / _DEFAULT_FOLDER
	return folder / f"{name}.zip"


def _read_index(archive: Path) -> _Index | None:
	try:
		with ZipFile(archive) as kept:
			return _Index.model_validate_json(kept.read(_INDEX))
	except FileNotFoundError:
		return None
	except (BadZipFile, KeyError, OSError, ValueError) as error:
		logger.warning("The last good model in %s is damaged: %s", archive, error)
		return None


def _digest(content: bytes) -> str:
	return hashlib.sha256(content).hexdigest()


def go_on(names: Iterable[str], error: InputError) -> tuple[TrainedModel, ModelVersion]:
	"""The last good champion of the first name with one, with a warning; else raises `error`."""
	for name in names:
		with tempfile.TemporaryDirectory() as folder:
			last_good = recall(name, Path(folder))
			if last_good is None:
				continue
			try:
				trained = read_model(last_good.folder, last_good.model)
			except UnreadableModelError as worse:
				logger.warning("%s", worse)
				continue
		logger.warning(
			"%s. Scoring goes on with the last good model: %s, trained on %s loans, champion when "
			"the registry last answered, %s",
			error,
			last_good.model,
			trained.facts.origin,
			last_good.age,
		)
		return trained, last_good.model
	raise error
