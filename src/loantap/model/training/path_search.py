"""Candidates judged by cross-validation, each fold prepared once, unlike `GridSearchCV`.

Those that differ in C alone are fitted from the strongest penalty to the weakest, each from a
solution that is near.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from imblearn.pipeline import Pipeline as ResamplingPipeline
from sklearn.base import clone
from sklearn.model_selection import BaseCrossValidator

from loantap.model.training.candidate import SEARCH_TOLERANCE, Candidate
from loantap.model.training.logistic import BoundedLogisticRegression
from loantap.model.training.pilot import Pilot, PilotedStarts
from loantap.model.training.search_tasks import (
  Judged,
  Scores,
  Task,
  balance,
  collect,
  group_by_balance,
  list_paths,
  share_out,
)
from loantap.model.training.threads import FittingThreads, fitting_threads
from loantap.tables.progress import Progress

Scorer = Callable[[BoundedLogisticRegression, npt.NDArray[Any], npt.NDArray[Any]], Scores]
Fold = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


class PathSearch:
  """Logistic regressions on ready-made samplers, judged on every fold.

  Folds run in threads: the solvers release the interpreter, and threads share the loans. The
  pipelines of `make` have the steps `preprocess`, the same for all, `balance` and `classify`.
  `score` takes a fitted classifier, the encoded matrix and the outcomes of the fold left out.
  """

  def __init__(
    self, candidates: Sequence[Candidate], make: Callable[[Candidate], ResamplingPipeline], score: Scorer, jobs: int
  ) -> None:
    self._candidates = candidates
    self._models = [make(candidate) for candidate in candidates]
    self._score = score
    self._jobs = jobs

  def judge(self, features: pd.DataFrame, target: pd.Series, cv: BaseCrossValidator) -> list[list[Judged]]:
    """Each candidate on each fold that it was not fitted on, by fold and candidate."""
    folds = list(cv.split(features, target))
    outcomes = target.to_numpy()
    tasks = share_out(len(folds), group_by_balance(self._candidates), self._jobs)
    with fitting_threads(self._jobs) as threads:
      counter = _Counter(len(folds) * len(self._candidates), threads)
      done = threads.map(lambda t: self._judge(features, outcomes, folds[t.fold], t, counter), tasks)
      return collect(zip(tasks, done, strict=True), len(folds), len(self._candidates))

  def _judge(
    self, features: pd.DataFrame, outcomes: npt.NDArray[Any], fold: Fold, task: Task, counter: _Counter
  ) -> dict[int, Judged]:
    inside, outside = fold
    preprocess = clone(self._models[0]["preprocess"])
    matrix = preprocess.fit_transform(features.iloc[inside], outcomes[inside])
    held_out = preprocess.transform(features.iloc[outside])
    judged: dict[int, Judged] = {}
    samplers = [model["balance"] for model in self._models]
    balanced = balance(samplers, task.ways, matrix, outcomes[inside])
    del matrix  # `balanced` lets go of it as soon as it can
    for members, resampled, target in balanced:
      pilot = Pilot.draw(resampled, target)
      for path in list_paths(self._candidates, members):
        classifier = clone(self._models[path.members[0]]["classify"])
        classifier.set_params(tol=max(classifier.tol, SEARCH_TOLERANCE))
        starts = PilotedStarts(classifier, pilot, path.starts)
        started = time.perf_counter()
        for index, penalty, fitted in zip(
          path.members, path.penalties, classifier.fit_path(resampled, target, path.penalties, lead=starts), strict=True
        ):
          seconds = time.perf_counter() - started
          path.solutions[penalty] = starts.complete(fitted.solution)
          scores = self._score(fitted, held_out, outcomes[outside])
          judged[index] = Judged(scores, fitted.solution, int(fitted.n_iter_[0]), seconds)
          counter.advance(f"fold {task.fold + 1}, {self._candidates[index].label}")
          started = time.perf_counter()
      del resampled, pilot
    return judged


class _Counter:
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
