"""Recent applications counted in the bands of the training, in batches of any size."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from loantap.features.build import MISSING
from loantap.model.scoring.profile import FeatureProfile, count_bands
from loantap.portfolio.arrays import IntArray


@dataclass(slots=True)
class FeatureTally:
	"""One feature of recent rows, counted as its profile counts.

	Attributes:
		counts: rows by band or level of the profile.
		new: rows by level that the profile does not know.
		total: of a number, the sum of its values; `squares` that of their squares.
	"""

	profile: FeatureProfile
	counts: IntArray = field(init=False)
	missing: int = 0
	total: float = 0.0
	squares: float = 0.0
	new: Counter[str] = field(default_factory=Counter)

	def __post_init__(self) -> None:
		self.counts = np.zeros(len(self.profile.counts), dtype="int64")

	@property
	def n(self) -> int:
		"""Rows with a value."""
		return int(self.counts.sum()) + self.new.total()

	@property
	def rows(self) -> int:
		"""All rows."""
		return self.n + self.missing

	@property
	def mean(self) -> float:
		"""Of a number with at least one value."""
		return self.total / self.n

	@property
	def deviation(self) -> float:
		"""Standard deviation of a number with at least one value."""
		return float(np.sqrt(max(self.squares / self.n - self.mean**2, 0.0)))

	def add(self, values: pd.Series) -> None:
		"""Count more rows, as `build_features` gives them."""
		if self.profile.levels or values.dtype.kind not in "fiub":
			self._add_levels(values)
			return
		numbers = values.to_numpy("float64")
		numbers = numbers[~np.isnan(numbers)]
		self.missing += len(values) - len(numbers)
		self.counts += count_bands(numbers, np.array(self.profile.edges))
		self.total += float(numbers.sum())
		self.squares += float(numbers @ numbers)

	def _add_levels(self, values: pd.Series) -> None:
		counted = values.value_counts()
		known = counted.reindex(list(self.profile.levels), fill_value=0)
		self.counts += known.to_numpy("int64")
		self.missing += int(counted.get(MISSING, 0))
		others = counted.drop([MISSING, *self.profile.levels], errors="ignore")
		self.new.update({str(level): int(count) for level, count in others.items() if count})
