"""Waiting for a source: how long, and how often it is asked again."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial
from queue import Queue
from traceback import clear_frames
from typing import Any, Self, TypeVar

import pyarrow as pa
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential_jitter

from loantap.databases.backends.interface import SourceDownError
from loantap.portfolio.errors import InputError

T = TypeVar("T")

TIME_LIMIT_S = 1_800.0
SILENCE_LIMIT_S = 120.0
# More than a day not every system and timer can keep.
LONGEST_ANSWER_S = 86_400.0
# Until the system ends by itself what nobody waits for.
GRACE_S = 3.0
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
# Batches: one waits to be read, one is on its way.
_FETCHED_AHEAD = 2
# For a driver to close its connection when nobody reads on.
_CLOSING_S = 1.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
	"""How long a source is waited for.

	Attributes:
		time_limit_s: for a table in a run, attempts and pauses included.
		silence_limit_s: without a sign of life, after which a connection counts as broken.
	"""

	time_limit_s: float = TIME_LIMIT_S
	silence_limit_s: float = SILENCE_LIMIT_S


class _TooSlowError(InputError):
	"""The time limit has passed."""


class Deadline:
	"""The moment by which a table must have been read."""

	def __init__(self, where: str, patience: Patience) -> None:
		self.where = where
		self.patience = patience
		self._started = time.monotonic()

	@property
	def elapsed_s(self) -> float:
		"""Seconds since the beginning."""
		return time.monotonic() - self._started

	def require_time(self) -> None:
		"""Raise InputError when there is no time left."""
		if self.elapsed_s >= self.patience.time_limit_s:
			raise _TooSlowError(
				self.where,
				f"reading took longer than its time limit of {self.patience.time_limit_s:,g} s",
				"Raise time_limit_s of the table in the catalog, or find out why it is slow",
			)

	def wait_s(self) -> float:
		"""For how long the next batch may be waited for."""
		left = self.patience.time_limit_s - self.elapsed_s
		return max(min(self.patience.silence_limit_s, left), 0.0)


def persist(attempt: Callable[[], T], deadline: Deadline) -> T:
	"""What an attempt gives; it is made again, ever more rarely, while the source is down.

	Raises:
		InputError: the source was down until the end of the time limit.
	"""
	failed: SourceDownError | None = None

	def say_so(state: RetryCallState) -> None:
		nonlocal failed
		error = state.outcome.exception() if state.outcome else None
		words = f"{deadline.where}: as before" if str(error) == str(failed) else error
		failed = error if isinstance(error, SourceDownError) else failed
		logger.warning(
			"%s. Attempt %d failed after %.0f s; the next one follows in %.0f s",
			words,
			state.attempt_number,
			deadline.elapsed_s,
			state.upcoming_sleep,
		)

	def is_too_late(state: RetryCallState) -> bool:
		return deadline.elapsed_s + state.upcoming_sleep >= deadline.patience.time_limit_s

	retrying = Retrying(
		retry=retry_if_exception_type(SourceDownError),
		stop=is_too_late,
		wait=wait_exponential_jitter(multiplier=_FIRST_PAUSE_S, max=_LONGEST_PAUSE_S, jitter=_FIRST_PAUSE_S),
		before_sleep=say_so,
		reraise=True,
	)
	try:
		return retrying(attempt)
	except SourceDownError as error:
		last = error
	except _TooSlowError:
		# It was an attempt to make up for that one.
		if failed is None:
			raise
		last = failed
	times = retrying.statistics["attempt_number"]
	raise InputError(
		last.where,
		f"{last.problem}; tried {times} {'time' if times == 1 else 'times'} in {deadline.elapsed_s:,.0f} s",
		last.remedy,
	)


class DriverThread:
	"""Asks a driver in a thread of its own, so that waiting can end.

	A thread whose driver hangs stays, and does not hold up the end of the process.
	"""

	def __init__(self) -> None:
		self._asked: Queue[tuple[Callable[[], Any], Future[Any]] | None] = Queue()
		self._thread = threading.Thread(target=self._answer, daemon=True)
		self._thread.start()

	def ask(self, question: Callable[[], T]) -> Future[T]:
		"""What the question will give or raise, once those before it are answered."""
		answer: Future[T] = Future()
		self._asked.put((question, answer))
		return answer

	def end(self, within_s: float = 0.0) -> None:
		"""Have the thread end when all is answered, and wait at most so long for it."""
		self._asked.put(None)
		self._thread.join(within_s)

	def _answer(self) -> None:
		while (task := self._asked.get()) is not None:
			question, answer = task
			if answer.set_running_or_notify_cancel():
				try:
					answer.set_result(question())
				except Exception as error:  # noqa: BLE001 (raised again where it is wanted)
					# A driver's own error may repeat the connection text, and its frames would keep
					# the connection open.
					error.__cause__ = error.__context__ = None
					clear_frames(error.__traceback__)
					answer.set_exception(error)
			# Or the last answer would be held until the next question.
			del task, question, answer


class Caller:
	"""Asks a driver what is waited for at once, for a while at most."""

	def __init__(self, where: str, limit_s: float) -> None:
		self._where = where
		self._limit_s = limit_s
		self._thread = DriverThread()
		self.gave_up = False

	def __enter__(self) -> Self:
		return self

	def __exit__(self, *_: object) -> None:
		self._thread.end()

	def call(self, question: Callable[[], T]) -> T:
		"""What the question gives or raises.

		Raises:
			SourceDownError: no answer came in time; nothing else can be asked then.
		"""
		self.gave_up = True  # unless an answer comes: who interrupts the waiting gives up as well
		answer = self._thread.ask(question)
		wait([answer], self._limit_s)
		if answer.done():
			self.gave_up = False
			return answer.result()
		raise SourceDownError(
			self._where,
			f"no answer came for {self._limit_s:,g} s",
			"Check the network and the load of the system, or raise time_limit_s of the table in the catalog",
		)

	def call_later(self, question: Callable[[], object]) -> None:
		"""Have it asked when the driver is back from what it hangs in, should it ever be."""
		self._thread.ask(question)


def read_ahead(open_reader: Callable[[], pa.RecordBatchReader], deadline: Deadline) -> pa.RecordBatchReader:
	"""A reader whose batches a thread of its own fetches, two ahead, so that waiting can end.

	`open_reader` connects and runs the query in that thread; it ends, and the connection, when all is read or the
	reader is let go.

	Raises:
		SourceDownError: silence for too long. InputError: the time limit has passed.
	"""
	items = _take_all(_fetch(open_reader), deadline)
	schema = next(items)
	return pa.RecordBatchReader.from_batches(schema, items)


def _fetch(open_reader: Callable[[], pa.RecordBatchReader]) -> Generator[Any, None, None]:
	reader = open_reader()
	yield reader.schema
	yield from reader


def _take_all(fetching: Generator[Any, None, None], deadline: Deadline) -> Iterator[Any]:
	thread = DriverThread()
	fetch_next = partial(next, fetching, None)
	ahead = deque(thread.ask(fetch_next) for _ in range(_FETCHED_AHEAD))
	try:
		while (item := _wait_for(ahead.popleft(), deadline)) is not None:
			ahead.append(thread.ask(fetch_next))
			yield item
	finally:
		for answer in ahead:
			answer.cancel()
		thread.ask(fetching.close)
		thread.end(_CLOSING_S)


def _wait_for(answer: Future[T], deadline: Deadline) -> T:
	deadline.require_time()
	wait([answer], deadline.wait_s())
	if answer.done():
		return answer.result()
	deadline.require_time()
	raise SourceDownError(
		deadline.where,
		f"nothing came for {deadline.patience.silence_limit_s:,g} s",
		"Check the network and the load of the system, or raise silence_limit_s of the table in the catalog",
	)
