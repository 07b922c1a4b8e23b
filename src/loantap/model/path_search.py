"""Grid search that prepares each fold once and fits penalties along a path.

`GridSearchCV` imputes, encodes and resamples anew for every candidate. Here that is done once per
fold and way of balancing, and the candidates that differ in C alone are fitted from the strongest
penalty to the weakest, each from the coefficients of the one before.
"""

from __future__ import annotations

import logging
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
from imblearn.pipeline import Pipeline as ResamplingPipeline
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from loantap.model.logistic import BoundedLogisticRegression

Scores = dict[str, float]
Scorer = Callable[[BoundedLogisticRegression, npt.NDArray[Any], npt.NDArray[Any]], Scores]
Parameters = Mapping[str, Any]

_OF_THE_FIT = ("fit_time", "score_time", "iterations")

# A gradient this small moves F2 in the fifth digit.
_TOLERANCE = 1e-4

# Who shows progress listens here; each record has `done` and `total`, counted in fits.
progress = logging.getLogger("loantap.progress")


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
        n_jobs: folds at a time.

    Attributes:
        cv_results_: as `GridSearchCV` has it: `params`, `param_<name>`, `mean_fit_time`,
            `std_fit_time`, the same of `score_time`, and for each score `split<k>_test_<score>`,
            `mean_test_<score>`, `std_test_<score>`, `rank_test_<score>`;
            further `mean_iterations`, `max_iterations` of the solver over the folds.
        best_index_, best_params_: of the candidate chosen.
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
        counter = _Counter(len(folds) * len(self.candidates))
        # The limit on OpenMP is each thread's own, that on BLAS the process's; with one thread in
        # each the same sums come in the same order.
        one = {"initializer": threadpool_limits, "initargs": (1,)}
        with _quietly(), threadpool_limits(1), ThreadPoolExecutor(self.n_jobs, **one) as threads:
            judged = list(
                threads.map(
                    lambda fold: self._judge(X, outcomes, fold[0], fold[1], counter),
                    enumerate(folds, start=1),
                )
            )
        self.n_splits_ = len(folds)
        self.cv_results_ = _tabulate(list(self.candidates), judged)
        self.best_index_ = self.refit(self.cv_results_)
        self.best_params_ = self.candidates[self.best_index_]
        started = time.perf_counter()
        self.best_estimator_ = clone(self.estimator).set_params(**_clone(self.best_params_))
        with _quietly(), threadpool_limits(1):
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
        number: int,
        split: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
        counter: _Counter,
    ) -> list[Scores]:
        """Scores of every candidate on one fold, with `fit_time` and `score_time` in seconds."""
        inside, outside = split
        preprocess = clone(self.estimator["preprocess"])
        matrix = preprocess.fit_transform(_safe_indexing(X, inside), y[inside])
        held_out = preprocess.transform(_safe_indexing(X, outside))
        scores: list[Scores] = [{} for _ in self.candidates]
        balanced = _balance(self.candidates, matrix, y[inside])
        del matrix  # `balanced` lets go of it as soon as it can
        for ways, resampled, target in balanced:
            for _, paths in _group([self.candidates[w] for w in ways], _all_but_c):
                path = sorted((ways[p] for p in paths), key=self._inverse_penalty)
                penalties = [self._inverse_penalty(index) for index in path]
                classifier = clone(self.candidates[path[0]]["classify"])
                classifier.set_params(tol=max(classifier.tol, _TOLERANCE))
                started = time.perf_counter()
                for index, fitted in zip(
                    path, classifier.fit_path(resampled, target, penalties), strict=True
                ):
                    done = time.perf_counter()
                    scores[index] = self.scoring(fitted, held_out, y[outside])
                    scores[index]["iterations"] = float(fitted.n_iter_[0])
                    scores[index]["fit_time"] = done - started
                    started = time.perf_counter()
                    scores[index]["score_time"] = started - done
                    counter.advance(f"fold {number}, {_describe(self.candidates[index])}")
            del resampled
        return scores

    def _inverse_penalty(self, index: int) -> float:
        return float(self.candidates[index]["classify"].C)


@contextmanager
def _quietly() -> Iterator[None]:
    """Leave it to `max_iterations` to say what did not converge: filters are no thread's own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


class _Counter:
    """Counts fits over all folds, which run in threads, and reports each."""

    def __init__(self, total: int) -> None:
        self._done = 0
        self._total = total
        self._lock = threading.Lock()

    def advance(self, label: str) -> None:
        with self._lock:
            self._done += 1
            progress.info(
                "%s: %s of %s fits",
                label,
                self._done,
                self._total,
                extra={"done": self._done, "total": self._total},
            )


def _balance(
    candidates: Sequence[Parameters], matrix: npt.NDArray[np.float64], target: npt.NDArray[Any]
) -> Iterator[tuple[list[int], npt.NDArray[np.float64], npt.NDArray[Any]]]:
    """For each way of balancing: the candidates that use it, their matrix and their outcomes.

    Matrices are column-major, as the solver wants them; it would copy at every fit. Resampling
    comes last, and the plain matrix goes before it: resampling holds several copies as it is.
    """
    matrix = np.asfortranarray(matrix)
    groups = [ways for _, ways in _group(candidates, lambda c: repr(c["balance"]))]
    groups.sort(key=lambda ways: candidates[ways[0]]["balance"] != "passthrough")
    for ways in groups:
        sampler = candidates[ways[0]]["balance"]
        if sampler == "passthrough":
            yield ways, matrix, target
            continue
        # A made-up loan need not be exact in the eighth digit.
        single = matrix.astype(np.float32)
        if ways is groups[-1]:
            del matrix
        resampled, outcomes = clone(sampler).fit_resample(single, target)
        del single
        resampled = np.asarray(resampled, dtype=np.float64, order="F")
        yield ways, resampled, outcomes
        del resampled


def _group(
    candidates: Sequence[Parameters], key: Callable[[Parameters], str]
) -> Iterator[tuple[str, list[int]]]:
    """Positions of the candidates that share a key."""
    keys = [key(candidate) for candidate in candidates]
    order = sorted(range(len(candidates)), key=lambda index: keys[index])
    for value, members in groupby(order, key=lambda index: keys[index]):
        yield value, list(members)


def _describe(candidate: Parameters) -> str:
    sampler, classifier = candidate["balance"], candidate["classify"]
    balance = classifier.class_weight if sampler == "passthrough" else type(sampler).__name__
    return f"{balance or 'plain'} L{1 if classifier.l1_ratio else 2} C={classifier.C:g}"


def _all_but_c(candidate: Parameters) -> str:
    return repr({k: v for k, v in candidate["classify"].get_params().items() if k != "C"})


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
