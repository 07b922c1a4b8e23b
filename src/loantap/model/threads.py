"""Threads in which models are fitted and resamples measured."""

from __future__ import annotations

import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Result = TypeVar("Result")

# Threads that measure resamples, and how many further ones are drawn meanwhile.
_THREADS = 2
_AHEAD = 4


class FittingThreads(ThreadPoolExecutor):
    """Threads with one thread of BLAS and OpenMP in each, which end soon after an interruption.

    A thread cannot be stopped from outside: its task asks `go_on` between one fit and the next.
    """

    def __init__(self, jobs: int) -> None:
        super().__init__(jobs, initializer=threadpool_limits, initargs=(1,))
        self._is_over = threading.Event()

    def __exit__(self, kind: type[BaseException] | None, *details: Any) -> bool | None:
        """Wait for the tasks; after an error give up those that have not begun."""
        if kind is not None:
            self._is_over.set()
            self.shutdown(cancel_futures=True)
        return super().__exit__(kind, *details)

    def go_on(self) -> None:
        """Let a task go on, unless nobody waits for its result any more.

        Raises:
            CancelledError: nobody does.
        """
        if self._is_over.is_set():
            raise CancelledError


@contextmanager
def fitting_threads(jobs: int) -> Iterator[FittingThreads]:
    """Threads that share the loans, with one thread of BLAS and OpenMP in each.

    So sums come in the same order, and a run repeats: the limit on OpenMP is each thread's own,
    that on BLAS the process's. What does not converge is in the table of candidates, so its
    warnings are left out, here rather than around each fit: filters are no thread's own.
    """
    with fitting_here(), FittingThreads(jobs) as threads:
        yield threads


@contextmanager
def fitting_here() -> Iterator[None]:
    """The limits and warning filters of `fitting_threads`, for a fit in the caller's thread."""
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


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
