"""Candidates judged by cross-validation, each fold prepared once, unlike `GridSearchCV`.

Those that differ in C alone are fitted from the strongest penalty to the weakest, each from a
solution that is near.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline as ResamplingPipeline
from sklearn.base import clone
from sklearn.model_selection import BaseCrossValidator

from loantap.model.training.logistic import BoundedLogisticRegression
from loantap.model.training.options import SEARCH_TOLERANCE, Balancing, Candidate
from loantap.model.training.pilot import Pilot, PilotedStarts, Solved
from loantap.model.training.threads import FittingThreads, fitting_threads
from loantap.portfolio.arrays import AnyFloatArray
from loantap.tables.progress import Progress

Scores = dict[str, float]


@dataclass(frozen=True, slots=True)
class Task:
	"""What one thread does at a time: a fold, and its ways of balancing."""

	fold: int
	ways: list[list[int]]


@dataclass(frozen=True, slots=True)
class Judged:
	"""A candidate on one fold, scored on the loans left out."""

	scores: Scores
	solution: AnyFloatArray
	iterations: int
	seconds: float


@dataclass(frozen=True, slots=True)
class PenaltyPath:
	"""Candidates that are fitted one after the other; `starts` and `solutions` are by C."""

	members: list[int]
	penalties: list[float]
	starts: dict[float, Solved]
	solutions: dict[float, Solved]


def group_by_balance(candidates: Sequence[Candidate]) -> list[list[int]]:
	"""Places of the candidates that share a sampler; class weights and none share the plain matrix.

	Resampling comes last: SMOTE holds several copies, and the plain matrix can be freed.
	"""
	return _group(range(len(candidates)), lambda i: candidates[i].balancing is Balancing.SMOTE)


def share_out(folds: int, ways: list[list[int]], jobs: int) -> list[Task]:
	"""One task a fold; folds left over, too few for all threads, are split into one for each way.

	What resamples takes longest, so it begins first.
	"""
	whole = folds - folds % jobs
	tasks = [Task(fold, ways) for fold in range(whole)]
	return tasks + [Task(fold, [way]) for fold in range(whole, folds) for way in reversed(ways)]


def collect(done: Iterable[tuple[Task, dict[int, Judged]]], folds: int, candidates: int) -> list[list[Judged]]:
	"""What was found, by fold and candidate."""
	found: list[dict[int, Judged]] = [{} for _ in range(folds)]
	for task, judged in done:
		found[task.fold] |= judged
	return [[judged[index] for index in range(candidates)] for judged in found]


def balance(
	samplers: Sequence[SMOTE | str], ways: list[list[int]], matrix: npt.NDArray[np.float64], target: npt.NDArray[Any]
) -> Iterator[tuple[list[int], npt.NDArray[np.float64], npt.NDArray[Any]]]:
	"""For each way of balancing: its candidates, their matrix and their outcomes.

	Matrices are column-major, which the solver would otherwise copy at every fit.
	"""
	matrix = np.asfortranarray(matrix)
	for way in ways:
		sampler = samplers[way[0]]
		if sampler == "passthrough":
			yield way, matrix, target
			continue
		# A made-up loan need not be exact in the eighth digit.
		single = matrix.astype(np.float32)
		if way is ways[-1]:
			del matrix
		resampled, outcomes = clone(sampler).fit_resample(single, target)
		del single
		resampled = np.asarray(resampled, dtype=np.float64, order="F")
		yield way, resampled, outcomes
		del resampled


def list_paths(candidates: Sequence[Candidate], members: list[int]) -> Iterator[PenaltyPath]:
	"""The candidates that differ in C alone, from the strongest penalty to the weakest.

	L1 starts at each C from the L2 solution, the nearest: a path must be filled in before the next is asked for.
	"""

	def penalty(index: int) -> float:
		return candidates[index].inverse_penalty

	for same_weights in _group(members, lambda i: candidates[i].balancing):
		starts: dict[float, Solved] = {}
		for same_penalty in _group(same_weights, lambda i: candidates[i].l1_ratio):
			ordered = sorted(same_penalty, key=penalty)
			path = PenaltyPath(ordered, [penalty(index) for index in ordered], starts, {})
			yield path
			starts = path.solutions


def _group(members: Iterable[int], key: Callable[[int], Any]) -> list[list[int]]:
	groups: dict[Any, list[int]] = {}
	for member in members:
		groups.setdefault(key(member), []).append(member)
	return [groups[shared] for shared in sorted(groups)]


Scorer = Callable[[BoundedLogisticRegression, npt.NDArray[Any], npt.NDArray[Any]], Scores]
Fold = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


class PathSearch:
	"""Logistic regressions on ready-made samplers, judged on every fold.

	Folds run in threads, which share the loans. Pipelines of `make` have the steps `preprocess`, the same for all,
	`balance` and `classify`. `score` takes a fitted classifier, encoded matrix and outcomes of the fold left out.
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
