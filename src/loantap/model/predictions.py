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


def predict_samples(
    model_input: pd.DataFrame, features: list[str], outcome: SearchOutcome, options: TrainingOptions
) -> pd.DataFrame:
    """PDs in cross-validation, on the test split and out of time.

    Args:
        model_input: one row per loan: `loan_id`, `is_charged_off`, `split`, `period`, features.
        features: names of the feature columns.
        outcome: of the search on the training split.
        options: of the training.

    Returns:
        One row per sample and loan: `loan_id`, `sample`, `fold` (-1 outside cross-validation),
        `is_charged_off`, `probability_of_default`, `threshold` and `declined`. Thresholds come
        from out-of-fold predictions of the rows the model was trained on; in cross-validation
        each fold is decided at the threshold of the others. Out of time, a model of the same
        hyperparameters is fitted on earlier months only; the sample is left out where those months,
        or the later ones, have too few loans of an outcome.
    """
    is_train = model_input["split"].eq(Split.TRAIN)
    train = model_input[is_train]
    out_of_fold, threshold = _cross_validate(train, features, outcome.best, options)
    test = model_input[model_input["split"].eq(Split.TEST)]
    held_out = outcome.model.predict_proba(test[features])[:, 1]
    samples = [
        out_of_fold.assign(sample=CROSS_VALIDATION),
        _label(test, held_out, threshold).assign(sample=TEST),
    ]
    earlier = model_input[model_input["period"].eq(Period.EARLIER)]
    later = model_input[model_input["period"].eq(Period.LATER)]
    if _count_rarest(earlier) >= 2 * options.folds and _count_rarest(later) >= options.folds:
        _, earlier_threshold = _cross_validate(earlier, features, outcome.best, options)
        refitted = fit_candidate(
            earlier[features], earlier["is_charged_off"], outcome.best, options
        )
        ahead = refitted.predict_proba(later[features])[:, 1]
        samples.append(_label(later, ahead, earlier_threshold).assign(sample=OUT_OF_TIME))
    return pd.concat(samples, ignore_index=True).astype({"sample": "str"})


def _cross_validate(
    rows: pd.DataFrame, features: list[str], candidate: Candidate, options: TrainingOptions
) -> tuple[pd.DataFrame, float]:
    """Out-of-fold PDs with cross-fitted decisions, and the threshold for rows to come."""
    target = rows["is_charged_off"]
    predicted = predict_out_of_fold(rows[features], target, candidate, options)
    pd_ = predicted["probability_of_default"].to_numpy()
    fold, outcomes = predicted["fold"].to_numpy(), target.to_numpy()
    if options.threshold is None:
        threshold, _ = find_best_threshold(outcomes, pd_)
        declined = decline_cross_fitted(outcomes, pd_, fold)
    else:
        threshold, declined = options.threshold, pd_ >= options.threshold
    labelled = _label(rows, pd_, threshold).assign(fold=fold.astype("int64"), declined=declined)
    return labelled, threshold


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
