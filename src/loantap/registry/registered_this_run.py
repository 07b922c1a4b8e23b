"""What the active run registered, for later steps of the run.

Functions raise `RegistryDownError` where MLflow does not answer.
"""

from dataclasses import dataclass

import mlflow

from loantap.model.promotion.rule import Verdict
from loantap.model.scoring.scorer import Scorer
from loantap.portfolio.errors import InputError
from loantap.registry.connection import asking_registry
from loantap.registry.loading import has_champion, load_best, load_champion
from loantap.registry.models import ModelVersion

# Tags of a run per model: version, whether it becomes champion, and why.
_VERSION, _PROMOTED, _REASON = "registered.{}", "promoted.{}", "promotion_reason.{}"
_TRUE, _FALSE = "true", "false"


@dataclass(frozen=True, slots=True)
class Registered:
  """A version that a run registered, or found registered; whether and why it becomes champion."""

  model: ModelVersion
  promoted: bool
  reason: str


def note_registered(namespace: str, model: ModelVersion, verdict: Verdict) -> None:
  """Tag the active run with the version it made of a namespace, and the verdict."""
  tags = {
    _VERSION: f"{model.name}/{model.version}",
    _PROMOTED: _TRUE if verdict.promoted else _FALSE,
    _REASON: verdict.reason,
  }
  mlflow.set_tags({tag.format(namespace): value for tag, value in tags.items()})


def find_registered(namespace: str) -> Registered | None:
  """The active run's version of a namespace, or None."""
  run = mlflow.active_run()
  if run is None:
    return None
  with asking_registry():
    tags = mlflow.MlflowClient().get_run(run.info.run_id).data.tags
  name, _, version = tags.get(_VERSION.format(namespace), "").rpartition("/")
  if not name:
    return None
  promoted = tags[_PROMOTED.format(namespace)] == _TRUE
  return Registered(ModelVersion(name, version), promoted, tags[_REASON.format(namespace)])


def forget_registered() -> None:
  """Undo `note_registered`, where MLflow's run goes on after ours."""
  run = mlflow.active_run()
  if run is None:
    return
  client = mlflow.MlflowClient()
  ours = tuple(tag.format("") for tag in (_VERSION, _PROMOTED, _REASON))
  with asking_registry():
    for tag in client.get_run(run.info.run_id).data.tags:
      if tag.startswith(ours):
        client.delete_tag(run.info.run_id, tag)


def load_deciding(namespace: str) -> Scorer:
  """The champion once the active run has ended: never a version that is not promoted.

  Raises:
      InputError: no champion is registered, or the run's version is not promoted and there is no
          other.
      RegistryDownError: the registry does not answer, and no champion was kept.
  """
  own = find_registered(namespace)
  if own is not None and own.promoted:
    trained, model = load_best(namespace, own.model)
    return Scorer(trained, model.name, model.version)
  if own is not None and not has_champion(namespace):
    raise InputError(
      f"model {own.model}",
      f"it was not promoted, so it makes no decisions ({own.reason})",
      "Run `--pipelines training` for its reports; score when there is a champion",
    )
  trained, model = load_champion(namespace)
  return Scorer(trained, model.name, model.version)
