"""Whether two trainings gave the same model."""

import hashlib
import json
from typing import Any

import numpy as np
import pandas as pd

from loantap.model.scoring.trained import TrainedModel

# Sums of one training repeat but for the last bits, which is where memory happens to lie.
_DECIMALS = 9


def digest_model(trained: TrainedModel, predictions: pd.DataFrame) -> str:
  """The same for the same model of the same loans, and for no other; SHA-256 in hex.

  It covers coefficients, the facts, and the PDs of every loan in each sample, to nine decimals.
  """
  # Earlier releases knew one target: their models keep their digest.
  known = set() if trained.facts.target.window_months else {"target"}
  described = {
    "facts": _round(trained.facts.model_dump(mode="json", exclude=known)),
    # Trees have no coefficients: what they say of the example stands for them.
    "example": _round(trained.pipeline.predict_proba(trained.example).tolist()),
    "coefficients": _round(np.ravel(getattr(trained.pipeline[-1], "coef_", [])).tolist()),
    "columns": [str(column) for column in predictions],
    "loans": digest_predictions(predictions),
  }
  return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def digest_predictions(predictions: pd.DataFrame) -> str:
  """SHA-256 of PDs and their loans, to nine decimals, in hex."""
  rows = pd.util.hash_pandas_object(predictions.round(_DECIMALS), index=False)
  return hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()


def _round(value: Any) -> Any:
  if isinstance(value, dict):
    return {str(name): _round(inner) for name, inner in value.items()}
  if isinstance(value, list | tuple):
    return [_round(inner) for inner in value]
  # Nothing is minus zero.
  return round(value, _DECIMALS) + 0.0 if isinstance(value, float) else value
