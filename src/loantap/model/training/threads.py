"""Threads in which models are fitted."""

import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits


class FittingThreads(ThreadPoolExecutor):
	"""Threads with one thread of BLAS and OpenMP in each, which end soon after an interruption.

	Their tasks ask `go_on` between one fit and the next: a thread cannot be stopped from outside.
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
		"""Let a task go on; CancelledError where nobody waits for its result any more."""
		if self._is_over.is_set():
			raise CancelledError


@contextmanager
def fitting_threads(jobs: int) -> Iterator[FittingThreads]:
	"""Threads that share the loans, with one thread of BLAS and OpenMP in each.

	So sums come in the same order, and a run repeats: the limit on OpenMP is each thread's, that on BLAS the process's.
	Warnings of fits that do not converge are filtered here, as filters are no thread's own.
	"""
	with fitting_here(), FittingThreads(jobs) as threads:
		yield threads


@contextmanager
def fitting_here() -> Iterator[None]:
	"""The limits and warning filters of `fitting_threads`, for a fit in the caller's thread."""
	with warnings.catch_warnings(), threadpool_limits(1):
		warnings.simplefilter("ignore", ConvergenceWarning)
		yield
