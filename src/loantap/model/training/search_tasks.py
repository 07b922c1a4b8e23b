"""How a search is shared out: threads, ways of balancing, paths of penalties."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from loantap.model.training.pilot import Solved
from loantap.portfolio.arrays import AnyFloatArray

Scores = dict[str, float]
Parameters = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """What one thread does at a time: a fold, and the ways of balancing that it tries there."""

    fold: int
    ways: list[list[int]]


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate on one fold: its scores, and its intercept and coefficients."""

    scores: Scores
    solution: AnyFloatArray


@dataclass(frozen=True, slots=True)
class PenaltyPath:
    """Candidates that are fitted one after the other; `starts` and `solutions` are by C."""

    members: list[int]
    starts: dict[float, Solved]
    solutions: dict[float, Solved]


def group_by_balance(candidates: Sequence[Parameters]) -> list[list[int]]:
    """Places of the candidates that share a sampler; class weights and none share the plain matrix.

    Resampling comes last, so that the plain matrix can be freed first: SMOTE holds several copies.
    """
    everyone = list(range(len(candidates)))
    ways = [way for _, way in _group(candidates, everyone, lambda c: repr(c["balance"]))]
    return sorted(ways, key=lambda way: candidates[way[0]]["balance"] != "passthrough")


def share_out(folds: int, ways: list[list[int]], jobs: int) -> list[Task]:
    """One task a fold; folds left over, too few for all threads, are split into one for each way.

    What resamples takes longest, so of those it begins first.
    """
    whole = folds - folds % jobs
    tasks = [Task(fold, ways) for fold in range(whole)]
    return tasks + [Task(fold, [way]) for fold in range(whole, folds) for way in reversed(ways)]


def collect(
    done: Iterable[tuple[Task, dict[int, Judged]]], folds: int, candidates: int
) -> list[list[Judged]]:
    """What was found, by fold and candidate."""
    found: list[dict[int, Judged]] = [{} for _ in range(folds)]
    for task, judged in done:
        found[task.fold] |= judged
    return [[judged[index] for index in range(candidates)] for judged in found]


def balance(
    candidates: Sequence[Parameters],
    ways: list[list[int]],
    matrix: npt.NDArray[np.float64],
    target: npt.NDArray[Any],
) -> Iterator[tuple[list[int], npt.NDArray[np.float64], npt.NDArray[Any]]]:
    """For each way of balancing: its candidates, their matrix and their outcomes.

    Matrices are column-major, as the solver wants them; it would copy at every fit.
    """
    matrix = np.asfortranarray(matrix)
    for way in ways:
        sampler = candidates[way[0]]["balance"]
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


def _group(
    candidates: Sequence[Parameters], members: list[int], key: Callable[[Parameters], str]
) -> Iterator[tuple[str, list[int]]]:
    """The members that share a key."""

    def key_of(index: int) -> str:
        return key(candidates[index])

    for value, group in groupby(sorted(members, key=key_of), key=key_of):
        yield value, list(group)


def list_paths(candidates: Sequence[Parameters], members: list[int]) -> Iterator[PenaltyPath]:
    """The candidates that differ in C alone, from the strongest penalty to the weakest.

    L1 starts at each C from the L2 solution, which is nearer than its own of the C before. So the
    solutions of a path are to be filled in before the next is asked for.
    """
    for _, same_weights in _group(candidates, members, _weights):
        starts: dict[float, Solved] = {}
        for _, same_penalty in _group(candidates, same_weights, _all_but_c):
            path = PenaltyPath(
                sorted(same_penalty, key=lambda index: inverse_penalty(candidates[index])),
                starts,
                {},
            )
            yield path
            starts = path.solutions


def inverse_penalty(candidate: Parameters) -> float:
    """C of a candidate."""
    return float(candidate["classify"].C)


def _weights(candidate: Parameters) -> str:
    return repr(candidate["classify"].class_weight)


def _all_but_c(candidate: Parameters) -> str:
    return repr({k: v for k, v in candidate["classify"].get_params().items() if k != "C"})
