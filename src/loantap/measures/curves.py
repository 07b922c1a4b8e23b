"""Tables behind the evaluation plots."""

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve, roc_curve

from loantap.measures.intervals import measure_default_rates
from loantap.portfolio.arrays import FloatArray, IntArray

# A screen shows no more.
_POINTS = 400


def trace_roc(target: IntArray, pd_: FloatArray) -> pd.DataFrame:
  """ROC curve: `false_positive_rate`, `true_positive_rate`, at most about 400 points."""
  false_positive, true_positive, _ = roc_curve(target, pd_)
  return _thin(pd.DataFrame({"false_positive_rate": false_positive, "true_positive_rate": true_positive}))


def trace_precision_recall(target: IntArray, pd_: FloatArray) -> pd.DataFrame:
  """Precision-recall curve: `recall`, `precision`, at most about 400 points."""
  precision, recall, _ = precision_recall_curve(target, pd_, drop_intermediate=True)
  return _thin(pd.DataFrame({"recall": recall, "precision": precision}))


def tabulate_reliability(target: IntArray, pd_: FloatArray, bins: int = 10) -> pd.DataFrame:
  """Reliability table: one row per equal-count bin of the PD.

  Columns `mean_pd`, `observed_rate`, `low`, `high` (95% Wilson interval), `loans`.
  """
  groups = np.array_split(np.argsort(pd_, kind="stable"), min(bins, len(pd_)))
  loans = np.array([len(group) for group in groups])
  charged_off = np.array([target[group].sum() for group in groups])
  default = measure_default_rates(charged_off, loans)
  return pd.DataFrame(
    {
      "mean_pd": [pd_[group].mean() for group in groups],
      "observed_rate": default.rate,
      "low": default.low,
      "high": default.high,
      "loans": loans,
    }
  )


def _thin(curve: pd.DataFrame) -> pd.DataFrame:
  kept = np.unique(np.linspace(0, len(curve) - 1, _POINTS).round().astype(int))
  return curve.iloc[kept].reset_index(drop=True)
