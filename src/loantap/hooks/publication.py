"""All of a run's results appear when it has succeeded, or none; champions change last."""

import logging
import secrets
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from loantap.databases.backends.embedded import drop_staged, is_marked
from loantap.datasets import RegisteredModelDataset, TargetTableDataset
from loantap.datasets.staged import FilePublishable, Publishable, remove_staged, rename_into_place, staging_path
from loantap.datasets.target_table import publish_together
from loantap.hooks.saved import Catalog, publishable
from loantap.portfolio.errors import InputError
from loantap.project.folder import from_project
from loantap.project.interruption import interruption
from loantap.project.journal import Journal, Rename, read_journals
from loantap.project.lock import ALL_PUBLISHED, RUN, ProjectLock, Record, lock_of
from loantap.registry.connection import RegistryDownError, registry_address
from loantap.registry.runs import conclude_again, end_forgotten_run

logger = logging.getLogger(__name__)


def publish(saved: Sequence[Publishable], lock: ProjectLock) -> None:
	"""Publish what a run saved: databases, then files, then models.

	All of it is written down first. A run killed before the databases change publishes nothing; killed later, the next
	run publishes the rest (`recover`).

	Raises:
		SourceDownError, InputError: a database refuses, and nothing is published; or a file or the
			registry does, and the next run completes it.
	"""
	if not saved:
		return
	tables = [d for d in saved if isinstance(d, TargetTableDataset) and d.is_staged]
	folder = lock.folder
	journal = _describe(saved, tables, lock.project)
	try:
		journal.write(folder)
		# First, since one may refuse.
		publish_together(tables, journal.run)
	except BaseException:
		# Interrupted when it had been done, it counts as done. Where nobody can say, the next run finds out.
		is_done = _find_whether_committed(journal, lock.project) if tables else False
		if is_done is False:
			journal.remove(folder)
		if not is_done:
			raise
		for table in tables:
			table.discard()
	with interruption.deferred():
		journal = journal.commit(folder)
		for dataset in saved:
			if isinstance(dataset, FilePublishable):
				_put_in_place(dataset)
		for dataset in saved:
			if isinstance(dataset, RegisteredModelDataset):
				dataset.publish()
		journal.remove(folder)
		lock.outcome = ALL_PUBLISHED


def _describe(saved: Sequence[Publishable], tables: Sequence[TargetTableDataset], project: Path) -> Journal:
	models = (d.conclusion for d in saved if isinstance(d, RegisteredModelDataset))
	renames = (r for d in saved if isinstance(d, FilePublishable) for r in d.renames())
	return Journal(
		run=f"{RUN}.{secrets.token_hex(3)}",
		tables={from_project(t.file, project): t.table for t in tables if t.file is not None},
		committed=not tables,
		files=tuple(Rename(staged=from_project(r.staged, project), path=from_project(r.path, project)) for r in renames),
		registry=_tell_registry(project),
		models=tuple(conclusion for conclusion in models if conclusion is not None),
	)


def _tell_registry(project: Path) -> str:
	return registry_address().replace(f"{project}/", "")


def _has_committed(journal: Journal, project: Path) -> bool:
	"""Whether the databases have changed; of real ones only the journal knows."""
	marked = (is_marked(project / file, table, journal.run) for file, table in journal.tables.items())
	return journal.committed or (bool(journal.tables) and all(marked))


def _find_whether_committed(journal: Journal, project: Path) -> bool | None:
	"""The same; None where a database does not answer, as when another process holds its file."""
	try:
		return _has_committed(journal, project)
	except InputError:
		return None


def _put_in_place(dataset: FilePublishable) -> None:
	try:
		dataset.publish()
	except OSError as error:
		raise InputError(
			f"file {dataset.filepath}",
			f"it cannot take the place of the last good one ({error.strerror or error})",
			"Remove the cause; the next run then completes what this one was publishing",
		) from error


def find_own_journal(folder: Path) -> Journal | None:
	"""What a run of this process could not publish whole."""
	own = (journal for journal in read_journals(folder) if journal.run.startswith(f"{RUN}."))
	return next(own, None)


def recover(lock: ProjectLock) -> None:
	"""Complete what a killed run was publishing, or forget it; end it in MLflow; tidy up.

	Raises:
		InputError: a file cannot take its place, or another release was killed.
	"""
	for journal in read_journals(lock.folder):
		if not _has_committed(journal, lock.project):
			for rename in journal.files:
				remove_staged(lock.project / rename.staged)
		elif not _complete(journal, lock.project):
			continue
		journal.remove(lock.folder)
	for path, record in lock.killed():
		_tidy_up(record, lock.project)
		if _end_in_mlflow(record):
			path.unlink()


def _complete(journal: Journal, project: Path) -> bool:
	"""Publish the files and models of a journal; whether all could be done."""
	for rename in journal.files:
		try:
			rename_into_place(project / rename.staged, project / rename.path)
		except OSError as error:
			raise InputError(
				f"file {rename.path}",
				"an earlier run was killed while it published, and its new file cannot take the "
				f"place of this one ({error.strerror or error})",
				"Remove the cause and run again",
			) from error
		remove_staged(project / rename.staged)
	if journal.models and journal.registry != _tell_registry(project):
		logger.warning(
			"Run %s was ended before its verdicts were in MLflow. The next run with MLflow at %s records them",
			journal.run,
			journal.registry,
		)
		return False
	try:
		for verdict in journal.models:
			conclude_again(verdict)
	except RegistryDownError as error:
		logger.warning("The verdicts of run %s are not in MLflow yet; the next run tries again. %s", journal.run, error)
		return False
	logger.warning(
		"An earlier run was ended while it published; it is complete now: %d files, %d models",
		len(journal.files),
		len(journal.models),
	)
	return True


def _tidy_up(killed: Record, project: Path) -> None:
	for path in killed.outputs:
		remove_staged(staging_path(project / path, killed.run))
	for database in killed.databases:
		drop_staged(project / database)


def _end_in_mlflow(killed: Record) -> bool:
	"""Say in MLflow that a run was killed; whether that is done."""
	if killed.mlflow_run is None:
		return True
	try:
		if end_forgotten_run(killed.mlflow_run):
			logger.warning("MLflow now shows an earlier run as killed: %s", killed)
	except RegistryDownError:
		return False
	return True


class Transaction:
	"""Publishes what a run saved when it has succeeded; forgets it when it has not."""

	def __init__(self) -> None:
		self._catalog: Catalog | None = None
		self._lock = lock_of(Path())

	def begin(self, run_params: dict[str, Any], catalog: Catalog) -> None:
		"""Remember where this run saves."""
		self._catalog = catalog
		self._lock = lock_of(Path(run_params["project_path"]))

	def publish(self, catalog: Catalog, saved: Sequence[str]) -> None:
		"""Publish tables, files and models; the record of the run is complete by now."""
		interruption.obey()
		publish(publishable(catalog, saved), self._lock)
		self._catalog = None

	def discard(self, saved: Sequence[str]) -> None:
		"""Leave the last good outputs and aliases where they are."""
		catalog, self._catalog = self._catalog, None
		if catalog is None or find_own_journal(self._lock.folder) is not None:
			return
		with ExitStack() as each:
			for dataset in publishable(catalog, saved):
				each.callback(dataset.discard)
