"""PDs of the samples a model is judged on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from loantap.model.estimator import Candidate
from loantap.model.options import TrainingOptions
from loantap.model.search import SearchOutcome, fit_candidate, predict_out_of_fold
from loantap.model.splits import Period, Split
from loantap.model.threshold import decline_cross_fitted, find_best_threshold

CROSS_VALIDATION, TEST, OUT_OF_TIME = "cv", "test", "out_of_time"
SAMPLES = (CROSS_VALIDATION, TEST, OUT_OF_TIME)


def cross_validate(
    rows: pd.DataFrame, features: list[str], candidate: Candidate, options: TrainingOptions
) -> pd.DataFrame:
    """Out-of-fold PDs of training loans, decided at thresholds found on other folds.

    Args:
        rows: one row per loan: `loan_id`, `is_charged_off`, features.
        features: names of the feature columns.
        candidate: hyperparameters.
        options: folds, and the threshold when it is fixed.

    Returns:
        One row per loan: `loan_id`, `fold`, `is_charged_off`, `probability_of_default`,
        `threshold` (for loans to come, from all folds) and `declined` (at the threshold of the
        folds the loan is not in).
    """
    target = rows["is_charged_off"]
    predicted = predict_out_of_fold(rows[features], target, candidate, options)
    pd_ = predicted["probability_of_default"].to_numpy()
    fold, outcomes = predicted["fold"].to_numpy(), target.to_numpy()
    if options.threshold is None:
        threshold, _ = find_best_threshold(outcomes, pd_)
        declined = decline_cross_fitted(outcomes, pd_, fold)
    else:
        threshold, declined = options.threshold, pd_ >= options.threshold
    return _label(rows, pd_, threshold).assign(fold=fold.astype("int64"), declined=declined)


def predict_samples(
    model_input: pd.DataFrame,
    features: list[str],
    outcome: SearchOutcome,
    out_of_fold: pd.DataFrame,
    options: TrainingOptions,
) -> pd.DataFrame:
    """PDs in cross-validation, on the test split and out of time.

    Args:
        model_input: one row per loan: `loan_id`, `is_charged_off`, `split`, `period`, features.
        features: names of the feature columns.
        outcome: of the search on the training split.
        out_of_fold: of the training split, from `cross_validate`.
        options: of the training.

    Returns:
        One row per sample and loan, the columns of `cross_validate` and `sample`; `fold` is -1
        outside cross-validation. Out of time, a model of the same hyperparameters is fitted, and
        its threshold found, on earlier months only; the sample is left out where those months, or
        the later ones, have too few loans of an outcome.
    """
    test = model_input[model_input["split"].eq(Split.TEST)]
    threshold = float(out_of_fold["threshold"].iloc[0])
    held_out = outcome.model.predict_proba(test[features])[:, 1]
    samples = [
        out_of_fold.assign(sample=CROSS_VALIDATION),
        _label(test, held_out, threshold).assign(sample=TEST),
    ]
    earlier = model_input[model_input["period"].eq(Period.EARLIER)]
    later = model_input[model_input["period"].eq(Period.LATER)]
    if _count_rarest(earlier) >= 2 * options.folds and _count_rarest(later) >= options.folds:
        validated = cross_validate(earlier, features, outcome.best, options)
        refitted = fit_candidate(
            earlier[features], earlier["is_charged_off"], outcome.best, options
        )
        ahead = refitted.predict_proba(later[features])[:, 1]
        earlier_threshold = float(validated["threshold"].iloc[0])
        samples.append(_label(later, ahead, earlier_threshold).assign(sample=OUT_OF_TIME))
    return pd.concat(samples, ignore_index=True).astype({"sample": "str"})


def _label(rows: pd.DataFrame, pd_: np.ndarray, threshold: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "loan_id": rows["loan_id"].to_numpy(),
            "fold": -1,
            "is_charged_off": rows["is_charged_off"].to_numpy(),
            "probability_of_default": pd_,
            "threshold": threshold,
            "declined": pd_ >= threshold,
        }
    ).astype({"loan_id": "str", "fold": "int64"})


def _count_rarest(rows: pd.DataFrame) -> int:
    bad = int(rows["is_charged_off"].sum())
    return min(bad, len(rows) - bad)
