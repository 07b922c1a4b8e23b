"""Which registered version an evaluation judges.

Functions raise `RegistryDownError` where the registry does not answer.
"""

import json
import tempfile
from pathlib import Path

import mlflow
import pandas as pd

from loantap.features.definitions import FEATURE_SETS, MODELS
from loantap.model.promotion.digest import digest_predictions
from loantap.model.scoring.judged import JudgedModel
from loantap.model.scoring.scorer import Scorer
from loantap.model.training.training_digests import FILE, TrainingDigests
from loantap.portfolio.errors import InputError
from loantap.registry.connection import asking_registry
from loantap.registry.loading import find_best_champion
from loantap.registry.models import EVIDENCE, ModelVersion, registered_names, tag_version
from loantap.registry.reading import UnreadableModelError, fetch_file, load_version
from loantap.registry.registered_this_run import find_registered

# Tag of a version.
PREDICTIONS_DIGEST = "predictions_sha256"


def note_predictions(model: ModelVersion, predictions: Path) -> None:
  """Tag a version with the digest of its predictions."""
  # Not of bytes: another training of the same model repeats all but the last bits.
  tag_version(model, {PREDICTIONS_DIGEST: digest_predictions(pd.read_parquet(predictions))})


def load_judged(namespace: str, predictions: Path, report: Path) -> JudgedModel:
  """This run's version; in a run that trained none, the one whose predictions these are.

  `report` is the `training.json` of the same training.

  Raises:
      InputError: no registered version made these predictions.
  """
  rows = pd.read_parquet(predictions)
  own = find_registered(namespace)
  model = own.model if own else find_by_predictions(namespace, rows, predictions)
  champion = find_best_champion(namespace)
  is_lent_on = FEATURE_SETS[MODELS[namespace]].for_lending
  return JudgedModel(
    name=model.name,
    version=model.version,
    is_new=own is not None,
    champion=str(champion) if champion and is_lent_on else "",
    predictions=rows,
    training_report=json.loads(report.read_text("utf-8")),
    scorer=Scorer(load_version(model), model.name, model.version) if is_lent_on else None,
    training=load_training(model) if is_lent_on else None,
  )


def load_training(model: ModelVersion) -> TrainingDigests | None:
  """Digests of a version's training loans, or None; `UnreadableModelError` if damaged."""
  with tempfile.TemporaryDirectory() as folder:
    try:
      path = fetch_file(model, f"{EVIDENCE}/{FILE}", Path(folder))
    except UnreadableModelError:
      return None
    try:
      return TrainingDigests.load(path)
    except ValueError as error:
      raise UnreadableModelError(model, f"its {FILE} is damaged ({error})") from error


def find_by_predictions(namespace: str, predictions: pd.DataFrame, file: Path) -> ModelVersion:
  """The version that made predictions; InputError where none did."""
  digest = digest_predictions(predictions)
  with asking_registry():
    client = mlflow.MlflowClient()
    for name in registered_names(namespace):
      for found in client.search_model_versions(f"name = '{name}'"):
        if found.tags.get(PREDICTIONS_DIGEST) == digest:
          return ModelVersion(name, str(found.version))
  raise InputError(
    f"predictions of {namespace} ({file})",
    "no version in the model registry made them, so they say nothing about a model",
    "Run `--pipelines training`, which makes both",
  )
