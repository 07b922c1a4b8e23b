"""A model as a scorecard: the log-odds of the mean loan and one effect per feature.

Every model served is such a sum. Every path reads scores off it; `check_servable` proves that it is the model.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy.special import expit

from loantap.features.build import to_values
from loantap.features.definitions import FEATURES
from loantap.portfolio.arrays import FloatArray


class Effect(Protocol):
	"""Contribution of one feature to the log-odds, from the mean training loan."""

	@property
	def direction(self) -> int | None:
		"""How the log-odds move as it rises: 1 up, -1 down, 0 nowhere, None up and down."""

	def of_column(self, values: Any) -> FloatArray:
		"""Contributions of a column: an array of numbers, or `Texts`."""

	def of_one(self, value: Any) -> float:
		"""Contribution of one value: a float, or a text."""


@dataclass(frozen=True, slots=True)
class LinearEffect:
	"""A number times a slope: log-odds per unit of the feature above `centre`."""

	slope: float
	centre: float
	missing: float

	@property
	def direction(self) -> int:
		"""See `Effect`."""
		return int(np.sign(self.slope))

	def of_column(self, values: Any) -> FloatArray:
		"""See `Effect`."""
		contributed: FloatArray = self.slope * (values - self.centre)
		np.copyto(contributed, self.missing, where=np.isnan(values))
		return contributed

	def of_one(self, value: Any) -> float:
		"""See `Effect`."""
		return self.missing if math.isnan(value) else self.slope * (value - self.centre)


@dataclass(frozen=True, slots=True)
class StepEffect:
	"""A number that counts by the interval it falls into.

	`edges` are upper ends of all intervals but the last, rising; an end belongs to its interval.
	"""

	edges: tuple[float, ...]
	levels: tuple[float, ...]
	missing: float

	@property
	def direction(self) -> int | None:
		"""See `Effect`."""
		signs = set(np.sign(np.diff(self.levels)).astype(int).tolist()) - {0}
		return None if len(signs) > 1 else sum(signs)

	def of_column(self, values: Any) -> FloatArray:
		"""See `Effect`."""
		contributed: FloatArray = np.array(self.levels)[np.searchsorted(self.edges, values)]
		np.copyto(contributed, self.missing, where=np.isnan(values))
		return contributed

	def of_one(self, value: Any) -> float:
		"""See `Effect`."""
		return self.missing if math.isnan(value) else self.levels[bisect_left(self.edges, value)]


@dataclass(frozen=True, slots=True)
class TableEffect:
	"""A category by `levels`, or as `other` where training did not see it."""

	levels: Mapping[str, float]
	other: float

	@property
	def direction(self) -> None:
		"""See `Effect`: categories have no order."""
		return

	def of_column(self, values: Any) -> FloatArray:
		"""See `Effect`."""
		levels = np.array([self.of_one(text) for text in values.values] or [0.0])
		contributed: FloatArray = levels[values.codes]
		return contributed

	def of_one(self, value: Any) -> float:
		"""See `Effect`."""
		return self.levels.get(value, self.other)


@dataclass(frozen=True, slots=True)
class Scorecard:
	"""The additive form of a model; `base` is the log-odds of the mean training loan."""

	base: float
	effects: Mapping[str, Effect]

	def contributions(self, features: pd.DataFrame) -> pd.DataFrame:
		"""Contribution of each feature to the log-odds, one row per row of `features`.

		With `base` a row sums to the log-odds of its PD exactly.
		"""
		return pd.DataFrame(
			{
				name: effect.of_column(to_values(features[name], is_text=FEATURES[name].categorical))
				for name, effect in self.effects.items()
			},
			index=features.index,
		)

	def log_odds(self, features: pd.DataFrame) -> pd.Series:
		"""Log-odds of default, one per row of `features`."""
		return self.base + self.contributions(features).sum(axis=1)


@dataclass(frozen=True, slots=True)
class ScoreScale:
	"""How log-odds become points: a higher score is a lower risk.

	Siddiqi, *Credit Risk Scorecards* (2006): `points` at `odds` paid loans per default, and `points_to_double` more
	whenever these double. The portfolio's loans default once in five, which makes 600 points.
	"""

	points: float = 600
	odds: float = 4
	points_to_double: float = 50
	lowest: int = 300
	highest: int = 900
	factor: float = field(init=False)

	def __post_init__(self) -> None:
		object.__setattr__(self, "factor", self.points_to_double / math.log(2))

	def exact(self, log_odds: float) -> float:
		"""Points of log-odds of default, neither rounded nor kept within limits."""
		return self.points - self.factor * (log_odds + math.log(self.odds))

	def of_column(self, log_odds: FloatArray) -> FloatArray:
		"""Scores: whole numbers from `lowest` to `highest`, halves to the even one."""
		exact = self.points - self.factor * (log_odds + math.log(self.odds))
		return np.clip(np.rint(exact), self.lowest, self.highest)

	def of_one(self, log_odds: float) -> int:
		"""Score of one application."""
		return min(max(round(self.exact(log_odds)), self.lowest), self.highest)


SCALE = ScoreScale()


def to_probability(log_odds: float) -> float:
	"""PD of one application; like SciPy's `expit`, without its cost for a single number."""
	if log_odds >= 0:
		return 1 / (1 + math.exp(-log_odds))
	odds = math.exp(log_odds)
	return odds / (1 + odds)


def to_probabilities(log_odds: FloatArray) -> FloatArray:
	"""PDs of many applications."""
	probabilities: FloatArray = expit(log_odds)
	return probabilities
