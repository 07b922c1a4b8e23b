"""Runs of MLflow that nobody ended, and verdicts that were not written.

Functions raise `RegistryDownError` where MLflow does not answer.
"""

import logging

import mlflow
from mlflow.entities import RunStatus, ViewType
from mlflow.exceptions import MlflowException

from loantap.project.journal import Conclusion
from loantap.registry.connection import asking_registry
from loantap.registry.models import KEPT, OUTCOME, PROMOTED, REASON, ModelVersion, find_champion, promote, tag_version

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

  A killed container takes its records with it; this task's lease shows that none still works.
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

  An alias that somebody has moved since stays where it was put.
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
