"""Where MLflow looks for files once the project was moved or copied."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

from loantap.portfolio.errors import InputError
from loantap.project.lock import lock_of
from loantap.registry.connection import PatientConnection

# MLflow stores whole paths here.
_COLUMNS = (
	("experiments", "artifact_location"),
	("runs", "artifact_uri"),
	("logged_models", "artifact_location"),
	("model_versions", "source"),
	("model_versions", "storage_location"),
)
_SQLITE = "sqlite:///"
_FILE = "file://"


def find_former_places(address: str, artifacts: str | None, project: Path) -> list[Path]:
	"""Folders that the project was in when MLflow stored a location; none where all are here.

	A server keeps its files itself. `artifacts` is where `mlflow.yml` has files kept.
	"""
	database, inside = _find_database(address, project), _find_inside(artifacts, project)
	if database is None or inside is None:
		return []
	address = f"{database.as_uri()}?mode=ro"
	with closing(sqlite3.connect(address, uri=True, factory=PatientConnection)) as store:
		stored = {
			location
			for table, column in _list_columns(store)
			for (location,) in store.execute(f"SELECT DISTINCT {column} FROM {table}")  # noqa: S608
		}
	places = {_find_place(_as_path(location), inside) for location in stored}
	return sorted(place for place in places if place not in {None, project})


def require_same_place(address: str, artifacts: str | None, project: Path) -> None:
	"""Raise `InputError` where MLflow would work in a folder the project has left."""
	if former := find_former_places(address, artifacts, project):
		raise InputError(
			f"project {project}",
			f"it was moved or copied from {former[0]}, where MLflow would still read and write its models",
			"Run `loantap-models relocate` here once; it changes nothing there",
		)


def relocate(address: str, artifacts: str | None, project: Path) -> int:
	"""Point MLflow to its files in the project's folder; how many locations were wrong.

	Raises:
		InputError: a run works here, or the files are not here.
	"""
	former = find_former_places(address, artifacts, project)
	database, inside = _find_database(address, project), _find_inside(artifacts, project)
	if not former or database is None or inside is None:
		return 0
	if not (project / inside).is_dir():
		raise InputError(
			f"project {project}",
			f"the files of its models are not in {project / inside}",
			f"Copy {former[0] / inside} there first",
		)
	lock = lock_of(project)
	lock.acquire()
	try:
		with closing(sqlite3.connect(database)) as store, store:
			return sum(_rewrite(store, table, column, former, project) for table, column in _list_columns(store))
	finally:
		lock.release()


def _rewrite(store: sqlite3.Connection, table: str, column: str, former: list[Path], project: Path) -> int:
	changes = []
	for number, location in store.execute(f"SELECT rowid, {column} FROM {table}"):  # noqa: S608
		path = _as_path(location)
		place = next((p for p in former if path is not None and path.is_relative_to(p)), None)
		if path is None or place is None:
			continue
		moved = project / path.relative_to(place)
		changes.append((moved.as_uri() if location.startswith(_FILE) else str(moved), number))
	store.executemany(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", changes)  # noqa: S608
	return len(changes)


def _find_database(address: str, project: Path) -> Path | None:
	if not address.startswith(_SQLITE):
		return None
	database = Path(address.removeprefix(_SQLITE).partition("?")[0]).absolute()
	return database if database.is_file() and database.is_relative_to(project) else None


def _find_inside(artifacts: str | None, project: Path) -> Path | None:
	path = _as_path(artifacts) if artifacts else None
	if path is None:
		return Path(artifacts) if artifacts and not urlsplit(artifacts).scheme else None
	return path.relative_to(project) if path.is_relative_to(project) else None


def _list_columns(store: sqlite3.Connection) -> list[tuple[str, str]]:
	"""Those there are: a store may be of another release, or unfinished."""
	present = {
		(table, name)
		for (table,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
		for _, name, *_ in store.execute(f"PRAGMA table_info({table})")
	}
	return [each for each in _COLUMNS if each in present]


def _as_path(location: str | None) -> Path | None:
	if location is None:
		return None
	if location.startswith(_FILE):
		return Path(unquote(urlsplit(location).path))
	return Path(location) if location.startswith("/") else None


def _find_place(path: Path | None, inside: Path) -> Path | None:
	if path is None:
		return None
	return next((place for place in reversed(path.parents) if path.is_relative_to(place / inside)), None)
