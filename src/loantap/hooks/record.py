"""What is recorded of a run in MLflow, by kedro-mlflow's hook, made to bear a registry that is down, and by ours."""

import logging
import os
import re
import shlex
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro_mlflow.config.kedro_mlflow_config import KedroMlflowConfig
from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook

from loantap.datasets import RegisteredModelDataset, StagedDataset
from loantap.features.definitions import MODELS
from loantap.hooks.run_parameters import flatten
from loantap.hooks.saved import Catalog, is_parameter
from loantap.portfolio.assembly import portfolio_origin
from loantap.project.folder import anchor_address
from loantap.project.interruption import BUCKET_VARIABLE, RUN_VARIABLE, interruption
from loantap.project.lock import lock_of
from loantap.registry import runs
from loantap.registry.connection import (
	LONGEST_S,
	RegistryDownError,
	asking_registry,
	choose_address,
	keeping_address_variable,
	use_registry,
	wait_for,
)
from loantap.registry.evidence import RunRecord, attach_evidence
from loantap.registry.loading import forget_registered
from loantap.registry.locations import require_same_place
from loantap.registry.models import PROMOTION
from loantap.registry.runs import FAILED, KILLED, end_run, end_runs_of_killed_tasks

logger = logging.getLogger(__name__)

_DEFAULT = "__default__"
# For how long a run that has failed waits to say so; the next one does it otherwise.
_ENDING_S = 5.0
_REPORTS = "08_reporting"
# Datasets that are evidence on a model.
_OF_ALL_MODELS = (
	"leakage_report",
	"evaluation.vintage_analysis",
	"evaluation.stability",
	"evaluation.fairness",
	"model_card",
)
_OF_ONE_MODEL = (
	"modeling.{}.predictions",
	"modeling.{}.training_report",
	"modeling.{}.promotion",
	"modeling.{}.candidates",
	"modeling.{}.coefficients",
	"modeling.{}.calibration_report",
	"evaluation.{}_metrics",
	"evaluation.{}.scorecard",
	"evaluation.{}.scorecard_report",
	"evaluation.{}.reliability",
	"evaluation.{}.thresholds",
	"evaluation.{}.threshold_report",
)
_CANDIDATES = re.compile(r"modeling\.(\w+)\.candidates")


class Tracking(MlflowHook):  # type: ignore[misc] # kedro-mlflow is not typed
	"""As kedro-mlflow's own hook, which settings switch off, with two differences.

	Where the registry is down, a run that records nothing, such as scoring, goes on. And each run in a process has its
	own run of MLflow, where kedro-mlflow ends its run once.
	"""

	def __init__(self) -> None:
		super().__init__()
		self.run_id: str | None = None
		self._down: RegistryDownError | None = None

	def after_context_created(self, context: KedroContext) -> None:
		"""Read `mlflow.yml` and open the registry."""
		self.run_id = None
		self._down = None
		wait_for(None)
		if runs.is_recording():
			super().after_context_created(context)
			return
		loader: Any = context.config_loader
		loader.config_patterns.setdefault("mlflow", ["mlflow*", "mlflow*/**", "**/mlflow*"])
		config = KedroMlflowConfig.model_validate(loader["mlflow"])
		project = context.project_path
		address = choose_address(config.server.mlflow_tracking_uri, project)
		server = config.server.model_dump() | {"mlflow_tracking_uri": address}
		if server["mlflow_registry_uri"] is not None:
			server["mlflow_registry_uri"] = anchor_address(server["mlflow_registry_uri"], project)
		# Read again by kedro-mlflow, which would take it as it stands in the file.
		loader["mlflow"] = loader["mlflow"] | {"server": server}
		use_registry(address)
		self._context = context
		try:
			self._open()
		except RegistryDownError as error:
			self._down = error
			self.mlflow_config = config

	def _open(self) -> None:
		with asking_registry(must_exist=False), keeping_address_variable():
			super().after_context_created(self._context)

	def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog) -> None:
		"""Start MLflow's run, where the pipelines are worth one.

		Raises:
			RegistryDownError: there is something to record, and no registry to record it in.
			InputError: the project was moved.
		"""
		names = set(run_params.get("pipeline_names") or [_DEFAULT])
		unrecorded = set(self.mlflow_config.tracking.disable_tracking.pipelines)
		if not names <= unrecorded:
			# There is a search to lose, so what is only busy is waited for.
			wait_for(LONGEST_S)
			if self._down is not None:
				self._open()
				self._down = None
		with asking_registry(must_exist=False) if self._down is None else nullcontext():
			if self._down is None:
				self._require_same_place(Path(run_params["project_path"]))
			super().before_pipeline_run(run_params, pipeline, catalog)
			# Set by loantap-task, which then holds the lease.
			if RUN_VARIABLE in os.environ and (bucket := os.environ.get(BUCKET_VARIABLE)):
				end_runs_of_killed_tasks(bucket)

	def _require_same_place(self, project: Path) -> None:
		options = self.mlflow_config.tracking.experiment.create_experiment_kwargs
		address = self.mlflow_config.server.mlflow_tracking_uri
		require_same_place(address, options.artifact_location, project)

	def before_node_run(self, node: Node, catalog: Catalog, inputs: dict[str, Any], is_async: bool) -> None:
		"""Start MLflow's run in a thread that has none yet.

		Parameters are logged elsewhere, one by one.
		"""
		if not runs.is_recording():
			super().before_node_run(node, catalog, inputs, is_async)

	def on_pipeline_error(self, error: BaseException, run_params: dict[str, Any]) -> None:
		"""Say in MLflow that the run has failed, or was interrupted."""
		run_id, self.run_id = self.run_id, None
		if self._already_active_mlflow:
			forget_registered()
			return
		if run_id is None:
			return
		wait_for(_ENDING_S)
		is_interrupted = isinstance(error, KeyboardInterrupt) or interruption.received is not None
		try:
			end_run(run_id, KILLED if is_interrupted else FAILED)
		except RegistryDownError as down:
			logger.warning("%s. The next run records in MLflow how this one ended", down)
			lock_of(Path(run_params["project_path"])).put_aside()

	def after_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog) -> None:
		"""End MLflow's run."""
		with asking_registry() if self.run_id is not None else nullcontext():
			super().after_pipeline_run(run_params, pipeline, catalog)
		self.run_id = None
		if self._already_active_mlflow:
			forget_registered()


class Record:
	"""Records a training run in MLflow."""

	def __init__(self) -> None:
		self._commit = "unknown"
		self._parameters: dict[str, Any] = {}

	def begin(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog) -> None:
		"""Log the parameter groups the run uses, and the commit its code is at.

		Raises:
			RegistryDownError: MLflow does not answer any more.
		"""
		if runs.is_recording():
			with asking_registry():
				self._record_beginning(run_params, pipeline, catalog)

	def _record_beginning(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog) -> None:
		self._commit = runs.git_commit(Path(run_params["project_path"])) or "unknown"
		runs.log_tags({"git_commit": self._commit})
		groups = sorted(filter(is_parameter, pipeline.inputs()))
		self._parameters = {}
		for name in groups:
			group = catalog.load(name).model_dump(mode="json")
			self._parameters |= flatten({name.removeprefix("params:"): group})
		runs.log_parameters(self._parameters)

	def complete(self, run_params: dict[str, Any], catalog: Catalog, saved: Sequence[str]) -> None:
		"""Log what was found, and store it with the models, before anything is published.

		Raises:
			RegistryDownError: MLflow does not answer any more.
		"""
		if runs.is_recording():
			with asking_registry():
				self._record_end(run_params, catalog, list(dict.fromkeys(saved)))

	def _record_end(self, run_params: dict[str, Any], catalog: Catalog, saved: Sequence[str]) -> None:
		origin = portfolio_origin(catalog.load("reconciliation"))
		runs.log_tags({"origin": origin})
		runs.rename(f"{origin} {run_params['run_id'][:16]}")
		for name in saved:
			self._record_dataset(name, catalog)
		self._record_inputs(catalog, origin, saved)
		record = RunRecord(
			command=_tell_command(run_params), git_commit=self._commit, parameters=self._parameters, origin=origin
		)
		for name in saved:
			dataset = catalog.get(name)
			if isinstance(dataset, RegisteredModelDataset) and dataset.saved is not None:
				files = self._collect_files(dataset.namespace, catalog, saved)
				if dataset.conclusion is None:  # a version that was registered before keeps its verdict
					files.pop(PROMOTION, None)
				attach_evidence(dataset.saved, dataset.namespace, files, record)

	def _record_dataset(self, name: str, catalog: Catalog) -> None:
		dataset = catalog.get(name)
		if of_model := _CANDIDATES.fullmatch(name):
			runs.log_candidates(catalog.load(name), of_model[1])
		if name == "evaluation.metrics":
			runs.log_metrics(catalog.load(name))
		# The exploration page holds a row of the portfolio: it stays here.
		if name == "insights.eda_page" or not isinstance(dataset, StagedDataset):
			return
		if _REPORTS in dataset.filepath.parts:
			folder = dataset.filepath.parent.name
			runs.log_file(dataset.current, dataset.filepath.name, None if folder == _REPORTS else folder)

	def _record_inputs(self, catalog: Catalog, origin: str, saved: Sequence[str]) -> None:
		datasets = (catalog.get(name) for name in saved)
		models = {d.namespace for d in datasets if isinstance(d, RegisteredModelDataset)}
		for feature_set in sorted({MODELS[model] for model in models}):
			rows = catalog.load(f"{feature_set}_input")
			runs.log_dataset(f"{feature_set} features", origin, rows)

	def _collect_files(self, namespace: str, catalog: Catalog, saved: Sequence[str]) -> dict[str, Path]:
		patterns = (*_OF_ALL_MODELS, *_OF_ONE_MODEL)
		names = {pattern.format(namespace) for pattern in patterns} & set(saved)
		datasets = [catalog.get(name) for name in sorted(names)]
		return {d.filepath.name: d.current for d in datasets if isinstance(d, StagedDataset)}


def _tell_command(run_params: dict[str, Any]) -> str:
	given = run_params.get("runtime_params") or {}
	options = {
		"--pipelines": ",".join(run_params.get("pipeline_names") or []),
		"--env": run_params.get("env") or "",
		"--params": ",".join(f"{name}={value}" for name, value in given.items()),
	}
	return shlex.join(["kedro", "run", *(w for o in options.items() if o[1] for w in o)])
