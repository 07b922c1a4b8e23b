"""How many requests a process works on at once, and how many may wait for it."""

import threading
from collections import deque


class Slots:
    """Slots that are handed from who is ready to who has waited longest.

    Args:
        n: how many there are.
        room: how many may wait for one; who comes then is refused at once, so that there is always
            somebody to refuse.
        patience: seconds that anybody waits: nobody waits for an answer that comes late.
    """

    def __init__(self, n: int, room: int, patience: float) -> None:
        self._free = n
        self._room = room
        self._patience = patience
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether there is a slot for this thread, which `give_back` frees."""
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
            # It may have come in the very moment that nobody waited any more.
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
