"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], within_s: float = 10) -> None:
	ends = time.monotonic() + within_s
	while not condition():
		assert time.monotonic() < ends, "it did not happen"
		time.sleep(0.02)
