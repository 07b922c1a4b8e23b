"""What MLflow records of a pipeline run, also of one that nobody ended."""

import hashlib
import logging
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import RunStatus, ViewType
from mlflow.exceptions import MlflowException
from mlflow.types import ColSpec, DataType, Schema

from loantap.project.journal import Conclusion
from loantap.registry.connection import asking_registry
from loantap.registry.models import KEPT, OUTCOME, PROMOTED, REASON, ModelVersion, find_champion, promote, tag_version

# Runs are compared by these: name, sample and figure in `metrics.json`.
_HEADLINES = {
	"AUC test": ("test", "roc_auc"),
	"AUC out of time": ("out_of_time", "roc_auc"),
	"Brier test": ("test", "brier"),
	"F2 test": ("test", "f2"),
}
# MLflow's limit.
_DIGEST_LENGTH = 36


def is_recording() -> bool:
	"""Whether a run is active."""
	return mlflow.active_run() is not None


def active_run_id() -> str | None:
	"""Identifier of the active run; None where there is none."""
	run = mlflow.active_run()
	return run.info.run_id if run else None


def log_parameters(parameters: Mapping[str, Any]) -> None:
	"""Log parameters by path (`modeling.lending.folds`)."""
	mlflow.log_params(dict(parameters))


def log_tags(tags: Mapping[str, str]) -> None:
	"""Tag the active run."""
	mlflow.set_tags(dict(tags))


def rename(name: str) -> None:
	"""Name the active run."""
	mlflow.set_tag("mlflow.runName", name)


def log_metrics(metrics: Mapping[str, Mapping[str, Any]]) -> None:
	"""Log the few figures by which runs are compared, as `lending/AUC test`.

	Others are in the attached `metrics.json`: a chart each would bury these. Takes `{namespace: {sample: {metric:
	value}}}`; a sample left out is None.
	"""
	mlflow.log_metrics(
		{
			f"{namespace}/{name}": float(samples[sample][figure])
			for namespace, samples in metrics.items()
			if isinstance(samples, Mapping)
			for name, (sample, figure) in _HEADLINES.items()
			if samples.get(sample) and samples[sample].get(figure) is not None
		}
	)


class _Unshown(MetaDataset):
	"""Loans that stay here: only name, digest and columns are logged."""

	@property
	def profile(self) -> None:
		"""None: the name tells how many there are."""


def log_dataset(name: str, origin: str, rows: pd.DataFrame) -> None:
	"""Log name, digest and columns of the training loans, and no row."""
	content = pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes()
	dataset = _Unshown(
		CodeDatasetSource({"origin": origin, "loans": str(len(rows))}),
		name=f"{origin} {name}, {len(rows):,} loans",
		digest=hashlib.sha256(content).hexdigest()[:_DIGEST_LENGTH],
		schema=Schema([ColSpec(_type_of(rows[c]), str(c)) for c in rows]),
	)
	mlflow.log_input(dataset, context="training")


def _type_of(column: pd.Series) -> DataType:
	is_number = pd.api.types.is_numeric_dtype(column)
	is_time = pd.api.types.is_datetime64_any_dtype(column)
	return DataType.double if is_number else DataType.datetime if is_time else DataType.string


def log_file(path: Path, name: str, folder: str | None) -> None:
	"""Attach a file to the active run, in a folder or at the top."""
	with tempfile.TemporaryDirectory() as copies:
		copied = shutil.copy(path, Path(copies) / name)
		mlflow.log_artifact(str(copied), folder)


def log_candidates(candidates: pd.DataFrame, namespace: str) -> None:
	"""Attach a model's search as a table for the UI: `candidates/<model>.csv`."""
	mlflow.log_text(candidates.to_csv(index=False), f"candidates/{namespace}.csv")


def git_commit(folder: Path) -> str | None:
	"""The commit, `-dirty` when files differ from it; None outside a checkout."""
	try:
		described = subprocess.run(
			["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],  # noqa: S607
			cwd=folder,
			capture_output=True,
			text=True,
			check=True,
		)
	except (OSError, subprocess.CalledProcessError):
		return None
	return described.stdout.strip()


KILLED, FAILED = RunStatus.to_string(RunStatus.KILLED), RunStatus.to_string(RunStatus.FAILED)
_BUCKET_TAG = "loantap.bucket"
_RUNNING = RunStatus.to_string(RunStatus.RUNNING)

logger = logging.getLogger(__name__)


def end_run(run_id: str, status: str) -> None:
	"""Say in MLflow how this process's run, and those nested in it, ended."""
	with asking_registry():
		# Innermost first; what is left out would be called finished at exit.
		while mlflow.active_run() is not None:
			mlflow.end_run(status)
		end_forgotten_run(run_id, status)


def end_forgotten_run(run_id: str, status: str = KILLED) -> bool:
	"""End a run and those nested in it, if they count as running; whether it was."""
	with asking_registry():
		client = mlflow.MlflowClient()
		try:
			info = client.get_run(run_id).info
		except MlflowException as error:
			if error.error_code != "RESOURCE_DOES_NOT_EXIST":
				raise
			return False
		nested = client.search_runs(
			[info.experiment_id], f"tags.mlflow.parentRunId = '{run_id}' and attributes.status = '{_RUNNING}'", ViewType.ALL
		)
		for run in nested:
			client.set_terminated(run.info.run_id, status)
		if info.status == _RUNNING:
			client.set_terminated(run_id, status)
		return bool(info.status == _RUNNING)


def end_runs_of_killed_tasks(bucket: str) -> int:
	"""Tag the active run with the bucket, and end what earlier tasks on it left running; how many.

	This task's lease shows that none still works.
	"""
	with asking_registry():
		active = mlflow.active_run()
		if active is None:
			return 0
		mlflow.set_tag(_BUCKET_TAG, bucket)
		found = mlflow.MlflowClient().search_runs(
			[active.info.experiment_id],
			f"tags.`{_BUCKET_TAG}` = '{bucket}' and attributes.status = '{_RUNNING}'",
			ViewType.ALL,
		)
		forgotten = [run.info.run_id for run in found if run.info.run_id != active.info.run_id]
		for run_id in forgotten:
			end_forgotten_run(run_id)
			logger.warning("MLflow run %s: its task was killed; it is marked KILLED", run_id)
		return len(forgotten)


def conclude_again(verdict: Conclusion) -> None:
	"""Write a verdict that a killed run had reached; repeating it does no harm.

	An alias moved since stays where it was put.
	"""
	model = ModelVersion(verdict.name, verdict.version)
	with asking_registry():
		outcome = PROMOTED if verdict.promoted else KEPT
		tag_version(model, {OUTCOME: outcome, REASON: verdict.reason})
		if not verdict.promoted:
			return
		champion = find_champion(verdict.name)
		if champion is None or champion.version in {verdict.displaced, verdict.version}:
			promote(model)
		else:
			logger.warning("%s stays champion: it became champion after the run that was killed", champion)
