"""How many requests a process works on at once, and how many wait."""

import threading
from collections import deque


class Slots:
  """Slots, handed to who has waited longest.

  At most `room` threads wait for one of `n`, for `patience` seconds; the next is refused at once,
  so that somebody is always free to refuse.
  """

  def __init__(self, n: int, room: int, patience: float) -> None:
    self._free = n
    self._room = room
    self._patience = patience
    self._waiting: deque[threading.Lock] = deque()
    self._lock = threading.Lock()

  def take(self) -> bool:
    """Whether this thread got a slot, which `give_back` frees."""
    with self._lock:
      if self._free:
        self._free -= 1
        return True
      if len(self._waiting) >= self._room:
        return False
      turn = threading.Lock()
      turn.acquire()
      self._waiting.append(turn)
    if turn.acquire(timeout=self._patience):
      return True
    with self._lock:
      # It may have come just as waiting ended.
      if turn not in self._waiting:
        return True
      self._waiting.remove(turn)
    return False

  def give_back(self) -> None:
    """Free a slot."""
    with self._lock:
      if self._waiting:
        self._waiting.popleft().release()
      else:
        self._free += 1
