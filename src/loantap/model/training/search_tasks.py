"""How a search is shared out over threads."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from imblearn.over_sampling import SMOTE
from sklearn.base import clone

from loantap.model.training.candidate import Balancing, Candidate
from loantap.model.training.pilot import Solved
from loantap.portfolio.arrays import AnyFloatArray

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

  Resampling comes last, so that the plain matrix can be freed: SMOTE holds several copies.
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

  Matrices are column-major, as the solver wants them; it would copy at every fit.
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

  L1 starts at each C from the L2 solution, which is nearer than its own of the C before; so a
  path's solutions must be filled in before the next is asked for.
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
