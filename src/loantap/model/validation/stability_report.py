"""How steady a model is, over folds and over who applied when."""

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd

from loantap.measures.auc import measure_auc
from loantap.measures.stability import measure_stability
from loantap.model.training.predictions import CROSS_VALIDATION, TEST

_BINS: Final = 10
# Ten bands of fewer loans are mostly noise.
_MIN_LOANS: Final = 100


def report_stability(predictions: pd.DataFrame, loans: pd.DataFrame) -> dict[str, Any]:
  """AUC fold by fold, and how far the PDs of other populations lie from those of training.

  Returns:
      `n` of the training loans; `folds`: one row each with `n`, `charged_off` and `roc_auc` with bounds;
      `populations`: the test split, against all training loans, and the training loans of each issue year with 100 or
      more, against the rest: `population`, `n`, `against_n`, `psi` with 95% bounds, and `psi_chance`, which two
      samples of one population exceed 5 times in 100.
  """
  trained = predictions[predictions["sample"].eq(CROSS_VALIDATION)]
  return {
    "n": len(trained),
    "folds": [_measure_fold(fold, rows) for fold, rows in trained.groupby("fold")],
    "populations": list(_compare_populations(predictions, trained, loans)),
  }


def _measure_fold(fold: Any, rows: pd.DataFrame) -> dict[str, Any]:
  target = rows["is_charged_off"]
  # One of several folds, so its bounds are those of a group: see `measures/auc.py`.
  area, low, high = measure_auc(target.to_numpy(), rows["probability_of_default"].to_numpy())
  return {
    "fold": int(fold) + 1,
    "n": len(rows),
    "charged_off": int(target.sum()),
    "roc_auc": area,
    "roc_auc_low": low,
    "roc_auc_high": high,
  }


def _compare_populations(
  predictions: pd.DataFrame, trained: pd.DataFrame, loans: pd.DataFrame
) -> Iterator[dict[str, Any]]:
  test = predictions[predictions["sample"].eq(TEST)]
  yield _compare("test split", test, trained)
  year = trained["loan_id"].map(loans.set_index("loan_id")["issue_month"]).dt.year
  for issued in sorted(year.unique()):
    is_of_it = year.eq(issued)
    if min(is_of_it.sum(), (~is_of_it).sum()) >= _MIN_LOANS:
      yield _compare(f"issued {issued}", trained[is_of_it], trained[~is_of_it])


def _compare(population: str, actual: pd.DataFrame, expected: pd.DataFrame) -> dict[str, Any]:
  index = measure_stability(
    expected["probability_of_default"].to_numpy(), actual["probability_of_default"].to_numpy(), bins=_BINS
  )
  return {
    "population": population,
    "n": len(actual),
    "against_n": len(expected),
    "psi": index.psi,
    "psi_low": index.low,
    "psi_high": index.high,
    "psi_chance": index.chance,
  }
