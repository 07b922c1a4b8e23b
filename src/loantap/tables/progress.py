"""How far something long has come: one logger, whose records have fields for who shows it."""

import logging
import time
from typing import Final

# Who shows progress listens here; see `Progress.tell` for the fields of its records.
LOGGER: Final = logging.getLogger("loantap.progress")


class Progress:
	"""Counts what is done of something long, and tells it; `label` is "" where who shows it knows, `unit` a plural."""

	def __init__(self, label: str, total: int | None, unit: str) -> None:
		self._label = label
		self._total = total
		self._unit = unit
		self._started = time.perf_counter()

	def tell(self, done: int, label: str = "") -> None:
		"""Tell how many are done, and what was done last.

		The record has the fields `label`, `done`, `total` and `rate` (a second, since the start).
		"""
		label = label or self._label
		rate = done / max(time.perf_counter() - self._started, 1e-9)
		LOGGER.info(
			"%s%s %s, %s a second",
			f"{label}: " if label else "",
			f"{done:,}" if self._total is None else f"{done:,} of {self._total:,}",
			self._unit,
			f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}",
			extra={"label": label, "done": done, "total": self._total, "rate": rate},
		)
