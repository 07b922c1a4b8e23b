"""Threads in which models are fitted."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits


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
