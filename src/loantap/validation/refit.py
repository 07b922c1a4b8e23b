"""Points, reasons, and a fit by scikit-learn as it comes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from loantap.validation.check import Check, Material, compare

# 600 points at four paid loans per default; 50 more double the odds.
_FACTOR = 50 / np.log(2)


def add_points(scorecard: pd.DataFrame, features: pd.DataFrame) -> Any:
  """Points of each loan; NaN where a value has none."""
  total = np.zeros(len(features))
  for name, rows in scorecard.groupby("feature"):
    points = rows.set_index("attribute")["points"]
    if name == "base points":
      total += points.sum()
    elif "any other" in points:
      total += features[name].str.replace("_", " ").map(points).fillna(points["any other"]).to_numpy()
    else:
      bands, value = rows.dropna(subset="low").sort_values("low"), features[name].to_numpy(float)
      columns = bands[["points", "points_per_unit", "anchor"]].to_numpy()
      start, slope, anchor = columns[np.searchsorted(bands["high"], np.nan_to_num(value))].T
      total += np.where(np.isnan(value), points.get("not stated", np.nan), start + slope * (value - anchor))
  return total


def check_scorecard(given: Material) -> Iterator[Check]:
  """Points add up to the stored PD; reasons follow from them."""
  test, report = given.sample("test"), given.files["scorecard.json"]
  features = given.files["model_input.parquet"].set_index("loan_id").loc[test["loan_id"]]
  log_odds = (600 - add_points(given.files["scorecard.parquet"], features)) / _FACTOR - np.log(4)
  stored = logit(test["probability_of_default"])
  yield compare("test: log-odds, from PD and points", len(test), stored, log_odds, 1e-6, "sums of floats")
  example = report["example"]
  points = pd.Series(example["points"]).sort_values()
  own = 600 - _FACTOR * (logit(example["probability_of_default"]) + np.log(4))
  yield compare("made-up case: points", 1, report["base_points"] + points.sum(), own, 0.01, "six digits each")
  yield compare("made-up case: score", 1, example["score"], np.clip(own, 300, 900), 0.5, "a whole number")
  # Below .01 of log-odds nothing is a reason.
  strongest = [phrase.casefold() for phrase in points[points <= -0.01 * _FACTOR].index[:4]]
  named = [reason.partition(":")[0].casefold() for reason in example["reasons"]]
  yield compare("made-up case: reasons are not the strongest", 1, named != strongest, 0)


def check_refit(given: Material) -> Iterator[Check]:
  """Test AUC and PDs of a plain logistic regression of the stored penalty."""
  table, stored = given.files["model_input.parquet"].set_index("loan_id"), given.sample("test")
  train, test = table[table["split"] == "train"], table.loc[stored["loan_id"]]
  chosen = next(candidate for candidate in given.files["training.json"]["candidates"] if candidate["chosen"])
  is_same = given.facts["kind"] == "logistic" and chosen["balancing"] != "smote"
  # What is 0 may be held there by credit sense, of which a plain fit knows nothing.
  coefficients = {row["feature"]: row["coefficient"] for row in given.files["training.json"]["coefficients"]}
  features = table.drop(columns=["split", "known_from", "judged_at", "is_charged_off"])
  names = [name for name in features if not is_same or coefficients.get(name, 1)]
  encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20, sparse_output=False)
  columns = make_column_transformer(
    (make_pipeline(SimpleImputer(), StandardScaler()), make_column_selector(dtype_include="number")),
    (encoder, make_column_selector(dtype_exclude="number")),
  )
  # liblinear penalises the intercept unless it is scaled.
  l1 = {"solver": "liblinear", "intercept_scaling": 100, "tol": 1e-6, "max_iter": 1_000}
  solver: dict[str, Any] = l1 if chosen["l1_ratio"] else {"solver": "newton-cholesky"}
  weights = "balanced" if chosen["balancing"] == "class_weights" else None
  model = LogisticRegression(C=chosen["inverse_penalty"], l1_ratio=chosen["l1_ratio"], class_weight=weights, **solver)
  fitted = make_pipeline(columns, model).fit(train[names], train["is_charged_off"])
  intercept, slope = given.facts["calibration"]
  own, pd_ = expit(intercept + slope * fitted.decision_function(test[names])), stored["probability_of_default"]
  told, found = (roc_auc_score(stored["is_charged_off"], scores) for scores in (pd_, own))
  exact, loose = (1e-3, "solvers stop early"), (0.02, "trees or SMOTE, which a plain fit has not")
  yield compare("test: AUC", len(test), told, found, *(exact if is_same else loose))
  if is_same:
    yield compare("test: PDs", len(test), pd_, own, *exact)
