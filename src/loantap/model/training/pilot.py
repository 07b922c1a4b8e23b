"""Where the fits of a path start: a tenth of the loans walk it first (docs/adr/0007).

A tenth shows almost as well as all how far a solution moves with C: each fit starts at the solution before it, moved
that far.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from loantap.model.training.logistic import BoundedLogisticRegression
from loantap.portfolio.arrays import AnyFloatArray

# Every tenth row. Where that is fewer than 3,000, all rows are few and a fit is quick anyway.
_STEP = 10
_MIN_ROWS = 3_000

# A column that is zero in all but fewer rows of the pilot: a category so rare there may be of one
# outcome, by chance, and its coefficient would move without end.
_MIN_COUNT = 100


@dataclass(frozen=True, slots=True)
class Solved:
	"""Intercept and coefficients with one penalty, of all rows and of the pilot's if it ran."""

	whole: AnyFloatArray
	pilot: AnyFloatArray | None


@dataclass(frozen=True, slots=True)
class Pilot:
	"""Every tenth row of a matrix (column-major), in its order.

	`moves`: whether what intercept and columns do here holds for all rows.
	"""

	matrix: AnyFloatArray
	target: npt.NDArray[Any]
	moves: npt.NDArray[np.bool_]

	@classmethod
	def draw(cls, matrix: AnyFloatArray, target: npt.NDArray[Any]) -> Pilot | None:
		"""The pilot of a matrix; None where the matrix is small, or an outcome rare."""
		rows = slice(None, None, _STEP)
		_, counts = np.unique(target[rows], return_counts=True)
		if counts.sum() < _MIN_ROWS or len(counts) < 2 or counts.min() < _MIN_COUNT:
			return None
		few = np.asfortranarray(matrix[rows])
		is_common = np.count_nonzero(few, axis=0) >= _MIN_COUNT
		return cls(few, target[rows], np.append(True, is_common))


class PilotedStarts:
	"""Where each fit of a path starts, from the strongest penalty on.

	Once one iteration takes the pilot to its next solution, the path goes on without it: from the solution before, or a
	nearer one `known` by C.
	"""

	def __init__(self, classifier: BoundedLogisticRegression, pilot: Pilot | None, known: dict[float, Solved]) -> None:
		self._classifier: BoundedLogisticRegression = clone(classifier)
		self._pilot = pilot
		self._known = known
		self._on_pilot: AnyFloatArray | None = None

	def __call__(self, inverse_penalty: float, last: AnyFloatArray | None) -> AnyFloatArray | None:
		"""Intercept and coefficients to start from; None leaves it to the solver."""
		base = self._known.get(inverse_penalty)
		if base is None and last is not None:
			base = Solved(last, self._on_pilot)
		self._on_pilot = None
		if self._pilot is None:
			return None if base is None else base.whole
		if base is not None and base.pilot is None:
			return base.whole
		before = None if base is None else base.pilot
		found, iterations = self._fit(self._pilot, inverse_penalty, before)
		if iterations >= self._classifier.max_iter or not np.isfinite(found).all():
			# It has not arrived anywhere, so it says nothing of the others either.
			self._pilot = None
			return None if base is None else base.whole
		self._on_pilot = found
		if base is None or before is None:
			return np.where(self._pilot.moves, found, 0.0)
		if iterations <= 1:
			self._pilot = None
			return base.whole
		return base.whole + np.where(self._pilot.moves, found - before, 0.0)

	def complete(self, solution: AnyFloatArray) -> Solved:
		"""What all rows gave with the C last asked for, beside what the pilot gave."""
		return Solved(solution, self._on_pilot)

	def _fit(self, pilot: Pilot, inverse_penalty: float, start: AnyFloatArray | None) -> tuple[AnyFloatArray, int]:
		# Each row counts for those it stands for: the penalty is weighed against their sum.
		weights = np.full(len(pilot.target), float(_STEP))
		[fitted] = self._classifier.fit_path(pilot.matrix, pilot.target, [inverse_penalty], weights, lambda *_: start)
		return fitted.solution, int(fitted.n_iter_[0])
