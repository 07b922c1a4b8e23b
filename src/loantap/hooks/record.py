"""What is recorded of a run in MLflow, and stored with its models."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kedro.pipeline import Pipeline

from loantap.datasets import RegisteredModelDataset, StagedDataset
from loantap.features.definitions import MODELS
from loantap.hooks.run_parameters import flatten
from loantap.hooks.saved import Catalog, is_parameter
from loantap.portfolio.assembly import portfolio_origin
from loantap.registry import runs
from loantap.registry.connection import asking_registry
from loantap.registry.evidence import RunRecord, attach_evidence
from loantap.registry.models import PROMOTION

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
