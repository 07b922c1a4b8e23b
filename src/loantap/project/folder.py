"""Where the project is, to which what `conf/` says is relative, and what its groups of parameters say without a run."""

from collections.abc import Collection, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from loantap.portfolio.errors import InputError

_MARK = "[tool.kedro]"
_SQLITE = "sqlite:///"
_FILES = "parameters*.yml"


def find_project(start: Path) -> Path:
	"""The project that a folder belongs to; the folder itself where there is none.

	A packaged run has no project around it: its folder is the one it is started in.
	"""
	for folder in (start, *start.parents):
		described = folder / "pyproject.toml"
		if described.is_file() and _MARK in described.read_text("utf-8", errors="replace"):
			return folder.resolve()
	return start.resolve()


def anchor_address(address: str, folder: Path) -> str:
	"""An address of MLflow whose file, if it is one, is looked for in a folder.

	Servers, and files that are given with their whole path, stay as they are.
	"""
	if not address.startswith(_SQLITE):
		return address
	path, mark, options = address.removeprefix(_SQLITE).partition("?")
	return f"{_SQLITE}{folder / path}{mark}{options}" if path else address


def from_project(path: Path, project: Path) -> Path:
	"""A path as it is written down, right also when the project has been moved.

	`project / path` leads back.
	"""
	return path.relative_to(project) if path.is_relative_to(project) else path.absolute()


def read_group(folder: Path, group: str, *, without: Collection[str] = ()) -> dict[str, Any]:
	"""A group of parameters as the files of a folder say it, by its top-level key.

	`without` are keys that only a run can give a value.

	Raises:
		InputError: no file of the folder has the group, or one of them cannot be read.
	"""
	return read_groups(folder, {group: without})[group]


def read_groups(folder: Path, groups: Mapping[str, Collection[str]]) -> dict[str, dict[str, Any]]:
	"""Several groups, each with the keys to leave out; see `read_group`."""
	try:
		merged = OmegaConf.merge({}, *(OmegaConf.load(f) for f in sorted(folder.glob(_FILES))))
		# One may refer to what another leaves out.
		return {group: _take(deepcopy(merged), group, without, folder) for group, without in groups.items()}
	except (OmegaConfBaseException, OSError, YAMLError) as error:
		told = str(error).splitlines()[0]
		raise InputError(f"{folder}/{_FILES}", told, "Mend the file") from error


def _take(merged: DictConfig | ListConfig, group: str, without: Collection[str], folder: Path) -> dict[str, Any]:
	found = merged.get(group) if isinstance(merged, DictConfig) else None
	if not isinstance(found, DictConfig):
		raise InputError(
			f"{folder}/{_FILES}",
			f"no group {group}",
			"Start the command in the project's folder, or name the folder of its parameters in LOANTAP_CONF",
		)
	for key in without:
		found[key] = None
	values = dict(OmegaConf.to_container(found, resolve=True))  # type: ignore[arg-type]
	return {str(name): value for name, value in values.items() if name not in without}
