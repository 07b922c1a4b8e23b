"""A fitted model."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from sklearn.pipeline import Pipeline

from loantap.model.training.calibration import Calibration

LOGISTIC, BOOSTING = "logistic", "boosting"


@dataclass(frozen=True, slots=True)
class FittedModel:
  """A model as it is served, with what was chosen on its training loans.

  Attributes:
      kind: `logistic` or `boosting`.
      pipeline: calibration folded in.
      threshold: F2 threshold for loans to come; reported, never used to decide.
      out_of_fold: its training loans, from `cross_validate`.
  """

  kind: str
  pipeline: Pipeline
  threshold: float
  hyperparameters: dict[str, Any]
  calibration: Calibration
  out_of_fold: pd.DataFrame
