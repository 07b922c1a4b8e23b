"""Models put into a registry, and what is asked of it."""

from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd

from loantap.model.promotion.release import Release
from loantap.model.promotion.rule import Condition, Verdict
from loantap.model.scoring.trained import TrainedModel
from loantap.registry.models import CHAMPION, ModelVersion, conclude, register

PREDICTIONS = pd.DataFrame(
  {
    "loan_id": ["00001", "00002"],
    "sample": ["cv", "test"],
    "is_charged_off": [False, True],
    "probability_of_default": [0.1, np.nextafter(0.3, 1)],
  }
)


def with_facts(trained: TrainedModel, **changes: object) -> TrainedModel:
  return replace(trained, facts=trained.facts.model_copy(update=changes))


def make_release(trained: TrainedModel, *, promoted: bool = True) -> Release:
  """A model that meets the conditions, or fails the one on calibration."""
  conditions = (
    Condition("enough charge-offs", True, "798 in training, 100 required"),
    Condition("calibrated", promoted, "ECE 0.0310 out of fold on 3,600 loans"),
  )
  verdict = Verdict("the new model", "the old one", promoted, conditions)
  return Release(trained, PREDICTIONS, {"promotion": {"champion": verdict.as_dict()}}, (verdict,))


def make_champion(trained: TrainedModel) -> ModelVersion:
  release = make_release(trained)
  model = register(release)
  conclude(model, release.verdicts[-1])
  return model


def champions() -> dict[str, str]:
  models = mlflow.MlflowClient().search_registered_models()
  return {m.name: str(m.aliases[CHAMPION]) for m in models if CHAMPION in m.aliases}


def artifacts_of(model: ModelVersion) -> Path:
  return Path(mlflow.artifacts.download_artifacts(f"{model.uri}/MLmodel")).parent


def tags_of(model: ModelVersion) -> dict[str, str]:
  tags: dict[str, str] = mlflow.MlflowClient().get_model_version(model.name, model.version).tags
  return tags
