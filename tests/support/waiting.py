"""Waiting for what another thread or process does."""

import time


def wait_until(condition, within_s=10):
	ends = time.monotonic() + within_s
	while not condition():
		assert time.monotonic() < ends, "it did not happen"
		time.sleep(0.02)
