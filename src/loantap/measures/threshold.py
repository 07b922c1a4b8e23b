"""The F2 threshold: where it is best, and what it costs in approvals.

F2 weighs recall twice as much as precision (van Rijsbergen, *Information Retrieval*, 1979). It
compares candidates; it decides on no loan.
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import precision_recall_curve

from loantap.measures.intervals import normal_bounds, wilson_bounds
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray

Counts = TypeVar("Counts", float, FloatArray)


def f2_score(precision: npt.ArrayLike, recall: npt.ArrayLike) -> FloatArray:
  """F2 of precision and recall; 0 where both are 0."""
  p, r = np.asarray(precision, dtype=float), np.asarray(recall, dtype=float)
  scale = 4 * p + r
  scores: FloatArray = np.divide(5 * p * r, scale, out=np.zeros_like(scale), where=scale > 0)
  return scores


def f2_variance(tp: Counts, fn: Counts, fp: Counts) -> Counts:
  """Sampling variance of F2, by the delta method on the counts of the confusion matrix.

  F2 = 5 TP / (5 TP + 4 FN + FP) is homogeneous of degree zero in the counts: the variance is the
  sum of squared derivatives times counts (Agresti, *Categorical Data Analysis*, 16.1).
  """
  squared = (5 * tp + 4 * fn + fp) ** 2
  # Without their signs, of which squares know nothing.
  by_tp, by_fn, by_fp = 5 * (4 * fn + fp) / squared, 20 * tp / squared, 5 * tp / squared
  return by_tp**2 * tp + by_fn**2 * fn + by_fp**2 * fp


def area_under_curve(false_positives: FloatArray, true_positives: FloatArray) -> float:
  """AUC from cumulative counts at falling thresholds."""
  true_rate = np.append(0, true_positives / true_positives[-1])
  false_rate = np.append(0, false_positives / false_positives[-1])
  return float(np.trapezoid(true_rate, false_rate))


def f2_decline_all(default_rate: float) -> float:
  """F2 of declining everybody."""
  return float(f2_score(default_rate, 1.0))


def find_best_threshold(target: IntArray, pd_: FloatArray) -> tuple[float, float]:
  """PD threshold with the highest F2, and that F2; at or above it loans would be declined."""
  precision, recall, thresholds = precision_recall_curve(target, pd_)
  scores = f2_score(precision[:-1], recall[:-1])
  best = int(np.argmax(scores))
  return float(thresholds[best]), float(scores[best])


def decline_cross_fitted(target: IntArray, pd_: FloatArray, fold: IntArray) -> BoolArray:
  """Whether each out-of-fold PD reaches the threshold found on the *other* folds.

  F2 on the PDs that its threshold was chosen on is flattered by about .006.
  """
  declined = np.zeros(len(target), dtype=bool)
  for held_out in np.unique(fold):
    inside = fold == held_out
    threshold, _ = find_best_threshold(target[~inside], pd_[~inside])
    declined[inside] = pd_[inside] >= threshold
  return declined


def tabulate_thresholds(target: IntArray, pd_: FloatArray, points: int = 99) -> pd.DataFrame:
  """The trade-off at `points` equally spaced quantiles of the PD.

  One row per threshold: `threshold`, `n` (all loans), `f2`, `precision`, `recall`,
  `approval_rate`, `default_rate_approved`, each with bounds (95%: Wilson of rates, delta method
  of F2), and `f2_decline_all`, the same everywhere.
  """
  order = np.argsort(pd_, kind="stable")
  sorted_pd, sorted_target = pd_[order], target[order]
  thresholds = np.unique(np.quantile(sorted_pd, np.linspace(0.01, 0.99, points)))
  approved = np.searchsorted(sorted_pd, thresholds, side="left").astype(float)
  bad_approved = np.concatenate([[0.0], np.cumsum(sorted_target)])[approved.astype(int)]
  loans, bad = float(len(target)), float(sorted_target.sum())
  declined, caught = loans - approved, bad - bad_approved
  rates = {
    "precision": (caught, declined),
    "recall": (caught, np.full_like(approved, bad)),
    "approval_rate": (approved, np.full_like(approved, loans)),
    "default_rate_approved": (bad_approved, approved),
  }
  columns = {"f2": f2_score(_share(*rates["precision"]), _share(*rates["recall"]))}
  spread = np.sqrt(f2_variance(caught, bad_approved, declined - caught))
  columns["f2_low"], columns["f2_high"] = normal_bounds(columns["f2"], spread)
  for name, (hits, of) in rates.items():
    columns[name] = _share(hits, of)
    columns[f"{name}_low"], columns[f"{name}_high"] = wilson_bounds(hits, np.maximum(of, 1))
  return pd.DataFrame(
    {"threshold": thresholds, "n": len(target), **columns, "f2_decline_all": f2_decline_all(bad / loans)}
  )


def _share(hits: FloatArray, of: FloatArray) -> FloatArray:
  shares: FloatArray = np.divide(hits, of, out=np.zeros_like(hits), where=of > 0)
  return shares
