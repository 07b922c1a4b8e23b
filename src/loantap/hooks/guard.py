"""Refuses, before any node runs, what cannot end well: another run at the same time among it."""

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import filterfalse
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.io import MemoryDataset
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.validation.type_extractor import TypeExtractor
from pydantic import BaseModel

from loantap.datasets import ChampionDataset, SourceTableDataset, SparkInputDataset, TargetTableDataset
from loantap.datasets.source_table import Credentialed
from loantap.datasets.staged import FilePublishable
from loantap.hooks.publication import find_own_journal, recover
from loantap.hooks.run_choices import check_choices, check_readers, replaces_real, shows_all
from loantap.hooks.run_parameters import check_parameter_groups, check_run_parameters
from loantap.hooks.saved import Catalog, is_parameter
from loantap.portfolio.errors import InputError
from loantap.project.folder import from_project
from loantap.project.lock import ALL_PUBLISHED, NOTHING_PUBLISHED, ProjectLock, lock_of
from loantap.registry import runs

_LATEST_ZONE = timedelta(hours=14)
_ON_A_CLUSTER = frozenset({"feature_engineering", "scoring"})


def check_parameters(context: KedroContext) -> None:
	"""Check what was given with `--params`, and every parameter group; InputError names the parameter."""
	loader = context.config_loader
	models = _find_models()
	given = loader.runtime_params or {}
	check_run_parameters(given, models)
	# The day a run starts on may be tomorrow where clocks keep UTC.
	check_choices(given, (datetime.now(tz=UTC) + _LATEST_ZONE).date())
	replaces_real(given)
	shows_all(given)
	check_parameter_groups(loader["parameters"], models)


def check_inputs(run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog) -> None:
	"""Check where `sources` writes, that systems can be connected to, and that inputs exist.

	InputError names the dataset.
	"""
	if all("check_sources" in node.tags for node in pipeline.nodes):
		return  # it says itself what is missing, of all systems at once
	given = run_params.get("runtime_params") or {}
	check_readers(given, _find_models(), pipeline.datasets())
	for node in pipeline.nodes:
		if "sources" in node.tags:
			_require_embedded(node, catalog)
			if "portfolio" not in given and not replaces_real(given):
				_require_demo(node, catalog)
		_require_frames(node, catalog)
	# What is read before what is written.
	for name in [*sorted(pipeline.inputs()), *sorted(pipeline.all_outputs())]:
		if not is_parameter(name):
			_require_credentials(name, catalog)
	for name in sorted(pipeline.inputs()):
		if not is_parameter(name):
			_require_input(name, catalog, pipeline)


def _require_embedded(node: Node, catalog: Catalog) -> None:
	for name in node.outputs:
		dataset = catalog.get(name)
		if isinstance(dataset, SourceTableDataset) and not dataset.is_embedded:
			raise InputError(
				f"pipeline sources, {name}",
				f"the credentials of {dataset.system} are those of a real system, and demo or file "
				f"rows are never written into one",
				"Run `--pipelines training`, which only reads the sources, or use `--env base`",
			)


def _require_demo(node: Node, catalog: Catalog) -> None:
	"""Demo data takes the place of demo data only, unless it is asked for."""
	for name in node.outputs:
		dataset = catalog.get(name)
		if isinstance(dataset, SourceTableDataset) and (real := dataset.count_real()):
			raise InputError(
				f"pipeline sources, {name}",
				f"it holds {real:,} real rows, and demo data would take their place",
				"Run `--pipelines training` on them, name a file (--params portfolio=FILE.csv), or "
				"add --params replace_real=true",
			)


def _find_models() -> dict[str, type[BaseModel]]:
	found: dict[str, type[BaseModel]] = TypeExtractor(dict(pipelines)).extract_types_from_pipelines()
	return found


def _require_credentials(name: str, catalog: Catalog) -> None:
	dataset = catalog.get(name)
	if isinstance(dataset, Credentialed):
		dataset.require_credentials()


def _require_frames(node: Node, catalog: Catalog) -> None:
	"""What a cluster reads is no frame, which every other node takes."""
	if node.tags & _ON_A_CLUSTER:
		return
	for name in filterfalse(is_parameter, node.inputs):
		if isinstance(catalog.get(name), SparkInputDataset):
			raise InputError(
				f"--env spark, node {node.name}",
				f"only {' and '.join(sorted(_ON_A_CLUSTER))} run on a cluster",
				"Leave --env spark out for the other pipelines; they read the same files",
			)


def _require_input(name: str, catalog: Catalog, pipeline: Pipeline) -> None:
	dataset = catalog.get(name)
	if name == "applications" and isinstance(dataset, MemoryDataset):
		tags = {tag for node in pipeline.nodes for tag in node.tags}
		reader, output = ("scoring", "scores") if "scoring" in tags else ("offers", "offered")
		raise InputError(
			f"pipeline {reader}", "no applications are given", f"Add --params applications=FILE.csv,{output}=FILE.parquet"
		)
	if isinstance(dataset, ChampionDataset):
		dataset.require_champion()
	elif name != "sources.portfolio_file" and not catalog.exists(name):
		raise InputError(
			f"dataset {name}",
			f"it does not exist yet ({dataset})",
			"Run the pipeline that makes it first; `kedro run` runs all of them in order",
		)


class ExclusiveUse:
	"""The project's lock."""

	def __init__(self) -> None:
		self._lock: ProjectLock | None = None

	@property
	def is_held(self) -> bool:
		"""Whether a run of this process has the project to itself."""
		return self._lock is not None

	def take(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog) -> None:
		"""Take the lock, put right what killed runs left, and see that outputs can be written.

		Raises:
			InputError: another run has the lock, or an output cannot be written.
		"""
		lock = lock_of(Path(run_params["project_path"]))
		if not lock.is_held:
			lock.acquire()
		self._lock = lock
		recover(lock)
		datasets = [catalog.get(name) for name in sorted(pipeline.all_outputs())]
		outputs = [d.filepath for d in datasets if isinstance(d, FilePublishable)]
		tables = (d.file for d in datasets if isinstance(d, TargetTableDataset))
		databases = {file for file in tables if file is not None}
		require_writable([*outputs, *sorted(databases)])
		lock.note(
			outputs=tuple(from_project(path, lock.project) for path in outputs),
			databases=tuple(from_project(path, lock.project) for path in sorted(databases)),
		)

	def note_mlflow_run(self) -> None:
		"""Note beside the lock which run of MLflow ends if this one is killed."""
		if self._lock is not None:
			self._lock.note(mlflow_run=runs.active_run_id())

	def tell_failure(self, catalog: Catalog, saved: Sequence[str]) -> None:
		"""Let the lock say what a failed run has published."""
		if self._lock is not None and self._lock.outcome != ALL_PUBLISHED:
			self._lock.outcome = _describe_outcome(self._lock, catalog, saved)

	def tell_success(self) -> None:
		"""Let the lock say that all is published."""
		if self._lock is not None:
			self._lock.outcome = ALL_PUBLISHED

	def release(self) -> None:
		"""Let the next run begin."""
		if self._lock is not None:
			self._lock.release()
		self._lock = None


def _describe_outcome(lock: ProjectLock, catalog: Catalog, saved: Sequence[str]) -> str:
	journal = find_own_journal(lock.folder)
	if journal is not None and journal.committed:
		return "its tables are published, and the rest of its results with the next run"
	if journal is not None:
		return (
			"whether its tables are published is not known, since the warehouse did not "
			"answer; the next run finds out, and publishes the rest with them or nothing"
		)
	sources = [name for name in saved if isinstance(catalog.get(name), SourceTableDataset)]
	if not sources:
		return NOTHING_PUBLISHED
	return f"{NOTHING_PUBLISHED}. The embedded sources are new already: {', '.join(sources)}"


def require_writable(paths: Iterable[Path]) -> None:
	"""Refuse with InputError, before the first step, what would fail at the last."""
	for folder in sorted({path.parent for path in paths}):
		present = next(each for each in (folder, *folder.parents) if each.exists())
		if not present.is_dir():
			problem = f"{present} is a file, not a folder"
		elif not os.access(present, os.W_OK | os.X_OK):
			problem = f"{present} cannot be written to"
		else:
			continue
		raise InputError(f"folder {folder}", problem, "Give yourself the right to write there, or name another place")
