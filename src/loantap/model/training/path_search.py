"""Grid search that prepares each fold once and fits penalties along a path.

`GridSearchCV` imputes, encodes and resamples anew for every candidate. Here that is done once per
fold and way of balancing, and the candidates that differ in C alone are fitted from the strongest
penalty to the weakest, each from a solution that is near: of the penalty before, or, for L1, of L2.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from imblearn.pipeline import Pipeline as ResamplingPipeline
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted

from loantap.model.training.logistic import BoundedLogisticRegression
from loantap.model.training.pilot import Pilot, PilotedStarts
from loantap.model.training.search_tasks import (
    Judged,
    Parameters,
    Scores,
    Task,
    balance,
    collect,
    group_by_balance,
    inverse_penalty,
    list_paths,
    share_out,
)
from loantap.model.training.threads import FittingThreads, fitting_here, fitting_threads
from loantap.tables.progress import Progress

Scorer = Callable[[BoundedLogisticRegression, npt.NDArray[Any], npt.NDArray[Any]], Scores]

_OF_THE_FIT = ("fit_time", "score_time", "iterations")

# Of the fits of a search: a gradient this small moves F2 in the fifth digit.
SEARCH_TOLERANCE = 1e-4


class PathSearchCV(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Exhaustive search over ready-made samplers and logistic regressions, as `GridSearchCV`.

    Folds run in threads: the solvers release the interpreter, and threads share the loans.

    Args:
        estimator: pipeline of `preprocess`, `balance` and `classify`.
        candidates: parameters of each candidate: its `balance` and its `classify`.
        scoring: takes a fitted classifier, the encoded matrix and the outcomes of the fold left
            out; gives its scores, greater is better.
        refit: takes `cv_results_`, gives the index of the candidate chosen.
        cv: the folds.
        n_jobs: threads, each with a fold, or with one sampler of a fold that they share.

    Attributes:
        cv_results_: as `GridSearchCV` has it: `params`, `param_<name>`, `mean_fit_time`,
            `std_fit_time`, the same of `score_time`, and for each score `split<k>_test_<score>`,
            `mean_test_<score>`, `std_test_<score>`, `rank_test_<score>`;
            further `mean_iterations`, `max_iterations` of the solver over the folds.
        best_index_, best_params_: of the candidate chosen.
        fold_solutions_: its intercept and coefficients on each fold, to the search's tolerance.
        best_estimator_: fitted on all the rows.
        refit_time_: seconds that took.
    """

    def __init__(
        self,
        estimator: ResamplingPipeline,
        candidates: Sequence[Parameters],
        *,
        scoring: Scorer,
        refit: Callable[[dict[str, Any]], int],
        cv: BaseCrossValidator,
        n_jobs: int = 1,
    ) -> None:
        self.estimator = estimator
        self.candidates = candidates
        self.scoring = scoring
        self.refit = refit
        self.cv = cv
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any) -> PathSearchCV:
        """Judge every candidate on every fold and fit the one chosen on all the rows."""
        folds = list(self.cv.split(X, y))
        outcomes = np.asarray(y)
        tasks = share_out(len(folds), group_by_balance(self.candidates), self.n_jobs)
        with fitting_threads(self.n_jobs) as threads:
            counter = _Counter(len(folds) * len(self.candidates), threads)
            done = threads.map(lambda t: self._judge(X, outcomes, folds[t.fold], t, counter), tasks)
            judged = collect(zip(tasks, done, strict=True), len(folds), len(self.candidates))
        self.n_splits_ = len(folds)
        scores = [[candidate.scores for candidate in fold] for fold in judged]
        self.cv_results_ = _tabulate(list(self.candidates), scores)
        self.best_index_ = self.refit(self.cv_results_)
        self.best_params_ = self.candidates[self.best_index_]
        self.fold_solutions_ = [fold[self.best_index_].solution for fold in judged]
        started = time.perf_counter()
        self.best_estimator_ = clone(self.estimator).set_params(**_clone(self.best_params_))
        self.best_estimator_.set_params(classify__start=self.fold_solutions_[0])
        with fitting_here():
            self.best_estimator_.fit(X, y)
        self.refit_time_ = time.perf_counter() - started
        self.classes_ = self.best_estimator_.classes_
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """PDs of the model chosen: rows x (paid, charged off)."""
        check_is_fitted(self)
        predicted: npt.NDArray[np.float64] = self.best_estimator_.predict_proba(X)
        return predicted

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Outcomes by the model chosen, at a PD of one half."""
        check_is_fitted(self)
        predicted: npt.NDArray[Any] = self.best_estimator_.predict(X)
        return predicted

    def _judge(
        self,
        X: Any,
        y: npt.NDArray[Any],
        split: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
        task: Task,
        counter: _Counter,
    ) -> dict[int, Judged]:
        """The candidates of a task, scored; with `fit_time` and `score_time` in seconds."""
        inside, outside = split
        preprocess = clone(self.estimator["preprocess"])
        matrix = preprocess.fit_transform(_safe_indexing(X, inside), y[inside])
        held_out = preprocess.transform(_safe_indexing(X, outside))
        judged: dict[int, Judged] = {}
        balanced = balance(self.candidates, task.ways, matrix, y[inside])
        del matrix  # `balanced` lets go of it as soon as it can
        for members, resampled, target in balanced:
            pilot = Pilot.draw(resampled, target)
            for path in list_paths(self.candidates, members):
                classifier = clone(self.candidates[path.members[0]]["classify"])
                classifier.set_params(tol=max(classifier.tol, SEARCH_TOLERANCE))
                penalties = [inverse_penalty(self.candidates[index]) for index in path.members]
                starts = PilotedStarts(classifier, pilot, path.starts)
                started = time.perf_counter()
                for index, fitted in zip(
                    path.members,
                    classifier.fit_path(resampled, target, penalties, lead=starts),
                    strict=True,
                ):
                    done = time.perf_counter()
                    solved = starts.complete(fitted.solution)
                    path.solutions[inverse_penalty(self.candidates[index])] = solved
                    scores = self.scoring(fitted, held_out, y[outside])
                    scores["iterations"] = float(fitted.n_iter_[0])
                    scores["fit_time"] = done - started
                    started = time.perf_counter()
                    scores["score_time"] = started - done
                    judged[index] = Judged(scores, fitted.solution)
                    label = _describe(self.candidates[index])
                    counter.advance(f"fold {task.fold + 1}, {label}")
            del resampled, pilot
        return judged


class _Counter:
    """Counts fits over all folds, which run in threads, reports each and ends what is given up."""

    def __init__(self, total: int, threads: FittingThreads) -> None:
        self._done = 0
        self._progress = Progress("", total, "fits")
        self._threads = threads
        self._lock = threading.Lock()

    def advance(self, label: str) -> None:
        self._threads.go_on()
        with self._lock:
            self._done += 1
            self._progress.tell(self._done, label)


def _describe(candidate: Parameters) -> str:
    sampler, classifier = candidate["balance"], candidate["classify"]
    balance = classifier.class_weight if sampler == "passthrough" else type(sampler).__name__
    return f"{balance or 'plain'} L{1 if classifier.l1_ratio else 2} C={classifier.C:g}"


def _clone(parameters: Parameters) -> dict[str, Any]:
    return {name: clone(value, safe=False) for name, value in parameters.items()}


def _tabulate(candidates: list[Parameters], judged: list[list[Scores]]) -> dict[str, Any]:
    """`cv_results_` from one list of scores per fold."""
    results: dict[str, Any] = {"params": candidates}
    for name in candidates[0]:
        column = np.empty(len(candidates), dtype=object)
        column[:] = [candidate[name] for candidate in candidates]
        results[f"param_{name}"] = np.ma.masked_array(column)
    for name in judged[0][0]:
        values = np.array([[scores[name] for scores in fold] for fold in judged])
        if name in _OF_THE_FIT:
            results |= {f"mean_{name}": values.mean(axis=0), f"std_{name}": values.std(axis=0)}
            results[f"max_{name}"] = values.max(axis=0)
            continue
        results |= {f"split{fold}_test_{name}": row for fold, row in enumerate(values)}
        mean = values.mean(axis=0)
        results |= {f"mean_test_{name}": mean, f"std_test_{name}": values.std(axis=0)}
        results[f"rank_test_{name}"] = rankdata(-mean, method="min").astype("int32")
    return results
