"""Threads in which models are fitted and resamples measured."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Result = TypeVar("Result")

# Of resamples: while they are measured, further ones are drawn.
_THREADS = 2
_AHEAD = 4


@contextmanager
def fitting_threads(jobs: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that share the loans, with one thread of BLAS and OpenMP in each.

    So the same sums come in the same order: the limit on OpenMP is each thread's own, that on BLAS
    the process's. What does not converge is in the table of candidates, so its warnings are left
    out, here rather than around each fit: warning filters are no thread's own.
    """
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        with ThreadPoolExecutor(jobs, initializer=threadpool_limits, initargs=(1,)) as threads:
            yield threads


def map_ahead(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """What the function makes of each item, in their order, in threads.

    For arrays of all loans, of which many would not fit into memory: only a few items are made
    before their results have been taken.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(_THREADS) as threads:
        for item in items:
            waiting.append(threads.submit(function, item))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
