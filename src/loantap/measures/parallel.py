"""Resamples measured in threads while others are drawn."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Further items made while these threads work.
_THREADS = 2
_AHEAD = 4


def map_ahead(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
  """What the function makes of each item, in their order, in threads.

  Only a few items are made ahead: arrays of all loans would not all fit into memory.
  """
  waiting: deque[Future[Result]] = deque()
  with ThreadPoolExecutor(_THREADS) as threads:
    for item in items:
      waiting.append(threads.submit(function, item))
      if len(waiting) > _AHEAD:
        yield waiting.popleft().result()
    while waiting:
      yield waiting.popleft().result()
