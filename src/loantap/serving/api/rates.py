"""How often a key may ask: a count per key and minute; no library was as fast (ADR 19)."""

import threading
import time
from dataclasses import dataclass
from typing import Final

_MINUTE: Final = 60.0


@dataclass(slots=True)
class _Window:
  began: float
  n: int


class RateLimit:
  """Counts requests by key and minute; each process grants its part of the rate."""

  def __init__(self, processes: int) -> None:
    self._processes = processes
    self._windows: dict[str, _Window] = {}
    self._lock = threading.Lock()

  def ask(self, key_id: str, rate_per_minute: int) -> float:
    """Count a request; seconds to wait, 0 for none."""
    now = time.monotonic()
    with self._lock:
      window = self._windows.get(key_id)
      if window is None or now - window.began >= _MINUTE:
        self._windows[key_id] = _Window(now, 1)
        return 0.0
      window.n += 1
      if window.n <= max(1, rate_per_minute // self._processes):
        return 0.0
      return window.began + _MINUTE - now
