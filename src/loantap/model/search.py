"""Hyperparameter search: GridSearchCV over balancing, penalty and C, chosen by F2."""

from __future__ import annotations

import math
import tempfile
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from imblearn.pipeline import Pipeline as ResamplingPipeline
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from threadpoolctl import threadpool_limits

from loantap.features.definitions import FEATURE_SETS
from loantap.model.estimator import Candidate, make_model
from loantap.model.options import TrainingOptions
from loantap.model.threshold import f2_variance, find_best_threshold
from loantap.portfolio.errors import InputError

_SMOTE_NEIGHBOURS = 5
_SCORES = ("f2", "f2_variance", "log_loss", "roc_auc", "iterations")


@dataclass(frozen=True, slots=True)
class SearchOutcome:
    """Result of a search.

    Attributes:
        best: the candidate chosen.
        model: `best` fitted on all the training rows.
        candidates: one row per candidate: its hyperparameters, mean and standard deviation of
            F2 at its own best threshold (with the sampling variance within a fold), log-loss, AUC
            and iterations, `fit_seconds`,
            `converged`, `within_one_standard_error` and `chosen`.
    """

    best: Candidate
    model: ResamplingPipeline
    candidates: pd.DataFrame


def make_folds(options: TrainingOptions) -> StratifiedKFold:
    """The stratified folds that search, out-of-fold predictions and thresholds share."""
    return StratifiedKFold(options.folds, shuffle=True, random_state=options.seed)


def search(features: pd.DataFrame, target: pd.Series, options: TrainingOptions) -> SearchOutcome:
    """Choose among candidates by cross-validated F2 and fit the winner.

    Each candidate is judged at its own best threshold: at 0.5 the comparison would only reward
    what shifts the probabilities (SMOTE, class weights). Candidates within one standard error of
    the best F2 count as equal, and the one with the lowest log-loss wins. The standard error is
    that of sampling; the spread over a handful of folds is too rough an estimate of it.

    Args:
        features: one row per training loan, the columns of the feature set.
        target: 1 for charged off; same index.
        options: grid, folds, seed.

    Raises:
        InputError: an outcome has fewer loans than there are folds.
    """
    rarest = min(int(target.sum()), int((1 - target).sum()))
    # SMOTE draws on this many loans of the rarer outcome within the other folds.
    least = math.ceil((_SMOTE_NEIGHBOURS + 1) * options.folds / (options.folds - 1))
    if rarest < max(options.folds, least):
        raise InputError(
            "training loans",
            f"the rarer outcome has {rarest} loans, too few for {options.folds} folds",
            "Give a larger portfolio or set modeling.<namespace>.folds lower",
        )
    candidates = options.candidates
    with tempfile.TemporaryDirectory() as memory:
        models = [_make(candidate, options, memory) for candidate in candidates]
        grid = GridSearchCV(
            models[0],
            [{"balance": [m["balance"]], "classify": [m["classify"]]} for m in models],
            scoring=_score,
            refit=_choose,
            cv=make_folds(options),
            n_jobs=options.jobs,
            error_score="raise",
        )
        # Candidates that hit the cap are reported in the table rather than one warning each.
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore", ConvergenceWarning)
            grid.fit(features, target)
    best = candidates[grid.best_index_]
    model = grid.best_estimator_.set_params(memory=None)
    return SearchOutcome(best, model, _tabulate(grid, candidates, options))


def fit_candidate(
    features: pd.DataFrame, target: pd.Series, candidate: Candidate, options: TrainingOptions
) -> ResamplingPipeline:
    """Fit one candidate on the rows given."""
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        return _make(candidate, options).fit(features, target)


def predict_out_of_fold(
    features: pd.DataFrame, target: pd.Series, candidate: Candidate, options: TrainingOptions
) -> pd.DataFrame:
    """PD of every row by a model that did not see it.

    Returns one row per input row, same index: `fold`, `probability_of_default`.
    """
    fold = np.full(len(target), -1)
    predicted = np.full(len(target), np.nan)
    for number, (inside, outside) in enumerate(make_folds(options).split(features, target)):
        model = fit_candidate(features.iloc[inside], target.iloc[inside], candidate, options)
        predicted[outside] = model.predict_proba(features.iloc[outside])[:, 1]
        fold[outside] = number
    return pd.DataFrame({"fold": fold, "probability_of_default": predicted}, index=features.index)


def _make(
    candidate: Candidate, options: TrainingOptions, memory: str | None = None
) -> ResamplingPipeline:
    return clone(
        make_model(
            FEATURE_SETS[options.feature_set],
            candidate,
            seed=options.seed,
            max_iterations=options.max_iterations,
            memory=memory,
        )
    )


def _score(
    model: ResamplingPipeline, features: pd.DataFrame, target: pd.Series
) -> dict[str, float]:
    predicted = model.predict_proba(features)[:, 1]
    outcomes = target.to_numpy()
    threshold, f2 = find_best_threshold(outcomes, predicted)
    return {
        "f2": f2,
        "f2_variance": f2_variance(outcomes, predicted >= threshold),
        "log_loss": -log_loss(target, predicted),  # greater is better, as the grid expects
        "roc_auc": roc_auc_score(target, predicted),
        "iterations": float(np.max(model["classify"].n_iter_)),
    }


def _within_one_standard_error(results: dict[str, Any]) -> npt.NDArray[np.bool_]:
    mean = np.asarray(results["mean_test_f2"])
    folds = sum(1 for key in results if key.startswith("split") and key.endswith("_test_f2"))
    best = int(np.argmax(mean))
    standard_error = np.sqrt(results["mean_test_f2_variance"][best] / folds)
    within: npt.NDArray[np.bool_] = mean >= mean[best] - standard_error
    return within


def _choose(results: dict[str, Any]) -> int:
    eligible = _within_one_standard_error(results)
    return int(np.argmax(np.where(eligible, results["mean_test_log_loss"], -np.inf)))


def _tabulate(
    grid: GridSearchCV, candidates: list[Candidate], options: TrainingOptions
) -> pd.DataFrame:
    results = grid.cv_results_
    table = pd.DataFrame([c.as_dict() | {"candidate": c.label} for c in candidates])
    for score in _SCORES:
        sign = -1 if score == "log_loss" else 1
        table[f"mean_{score}"] = sign * results[f"mean_test_{score}"]
        table[f"std_{score}"] = results[f"std_test_{score}"]
    most = np.max(
        [results[f"split{fold}_test_iterations"] for fold in range(options.folds)], axis=0
    )
    table["fit_seconds"] = results["mean_fit_time"]
    table["converged"] = most < options.max_iterations
    table["within_one_standard_error"] = _within_one_standard_error(results)
    table["chosen"] = np.arange(len(table)) == grid.best_index_
    return table
