"""The scorecard as a table, points of each attribute; a borrower's values as they are shown."""

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from loantap.features.build import MISSING, make_formula, tell_column, tell_one
from loantap.features.definitions import FEATURES
from loantap.model.scoring.scorecard import SCALE, Effect, LinearEffect, Scorecard, ScoreScale, StepEffect, TableEffect
from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.portfolio.column_reading import Texts
from loantap.portfolio.dictionary import COLUMNS

_DECIMALS = re.compile(r"\.(\d)([f%])")
# Stands for a share of nothing, which is more than any other.
BOUNDLESS = 10**15

# A value as it is shown: a whole number of its smallest steps, or a text; None where missing.
Key = int | str | None


@dataclass(frozen=True, slots=True)
class OwnValue:
	"""What is quoted of a borrower for one feature.

	`column` is None where the feature has several, and their true ratio is quoted. A unit has `steps` shown values.
	"""

	feature: str
	column: str | None
	display: str
	steps: int
	is_text: bool

	def take_column(self, columns: Mapping[str, FloatArray | Texts], rows: IntArray) -> FloatArray | Texts:
		"""The values to be quoted, by row."""
		if self.column:
			return _take_rows(columns[self.column], rows)
		uses = FEATURES[self.feature].uses
		return tell_column(self.feature, [_take_rows(columns[name], rows) for name in uses])  # type: ignore[misc]

	def take_one(self, columns: Mapping[str, Any]) -> Any:
		"""The value of one application."""
		if self.column:
			return columns[self.column]
		return tell_one(self.feature, [columns[name] for name in FEATURES[self.feature].uses])

	@property
	def listed(self) -> Sequence[int] | Sequence[str]:
		"""All values it could have, as shown, rising; empty where they are not a few."""
		if self.column is None:
			return ()
		column = COLUMNS[self.column]
		return column.categories or [int(value * self.steps) for value in column.values]

	def round_one(self, value: float | str | None) -> Key:
		"""One value as it is shown."""
		if value is None or isinstance(value, str):
			return None if value == MISSING else value
		if math.isnan(value):
			return None
		return math.floor(min(value, BOUNDLESS / self.steps) * self.steps + 0.5)

	def round_column(self, values: FloatArray | Texts) -> tuple[IntArray, list[Key]]:
		"""Values as shown: the place of each in the list, whose last entry is None."""
		if isinstance(values, Texts):
			return values.codes, [*(self.round_one(text) for text in values.values), None]
		rounded = np.floor(np.minimum(values, BOUNDLESS / self.steps) * self.steps + 0.5)
		codes, distinct = pd.factorize(rounded)
		return codes, [*distinct.astype("int64").tolist(), None]

	def show(self, key: int | str) -> str:
		"""A rounded value in words."""
		if key == BOUNDLESS:
			return FEATURES[self.feature].of_nothing
		value = key if isinstance(key, str) else key / self.steps
		shown = self.display.format(value).replace("_", " ")
		return "1 year" if shown == "1 years" else shown

	def feature_at(self, name: str, key: int | str) -> float | str:
		"""What a feature of the same column, or the feature itself, is at a rounded value."""
		value = key if isinstance(key, str) else key / self.steps
		return value if self.column is None else make_formula(name)(value)

	def features_at(self, name: str, keys: IntArray) -> FloatArray:
		"""The same at many rounded values."""
		values = keys / self.steps
		return values if self.column is None else tell_column(name, [values])


def _take_rows(values: FloatArray | Texts, rows: IntArray) -> FloatArray | Texts:
	if isinstance(values, Texts):
		return Texts(values.codes[rows], values.values)
	return values[rows]


def make_own_value(name: str) -> OwnValue:
	"""What is quoted for a feature: the column it is computed from; of several, the feature."""
	feature = FEATURES[name]
	column = feature.uses[0] if len(feature.uses) == 1 else None
	found = _DECIMALS.search(feature.display)
	decimals = int(found[1]) + (2 if found[2] == "%" else 0) if found else 0
	return OwnValue(name, column, feature.display, 10**decimals, found is None)


BASE = "base points"
_BANDS = 5
_COLUMNS = ("feature", "attribute", "low", "high", "anchor", "points", "points_per_unit")

Row = tuple[Any, ...]


def tabulate_points(scorecard: Scorecard, features: pd.DataFrame, scale: ScoreScale = SCALE) -> pd.DataFrame:
	"""Points of every attribute; `features` give the bands of numbers.

	Returns:
		One row per attribute of each feature that has an effect: `feature` (`base points` for those every loan starts
		from), `attribute` in words, `low` and `high` of a band of numbers (above `low`, up to `high`, in units of the
		feature; missing for texts), `points` at its `anchor`, and `points_per_unit` that the feature lies above it.
		Their sum is the score before it is rounded and kept within limits.
	"""
	rows: list[Row] = [(BASE, "the mean loan", np.nan, np.nan, np.nan, scale.exact(scorecard.base), 0.0)]
	for name, effect in scorecard.effects.items():
		if effect.direction == 0:
			continue
		for attribute, low, high, anchor, effect_there, slope in _list_attributes(name, effect, features[name]):
			points = (-scale.factor * effect_there, -scale.factor * slope)
			rows.append((name, attribute, low, high, anchor, *points))
	table = pd.DataFrame(rows, columns=list(_COLUMNS))
	return table.astype({"feature": "str", "attribute": "str"})


def _list_attributes(name: str, effect: Effect, values: pd.Series) -> Iterator[Row]:
	match effect:
		case TableEffect(levels, other):
			for category, level in levels.items():
				yield category.replace("_", " "), np.nan, np.nan, np.nan, level, 0.0
			yield "any other", np.nan, np.nan, np.nan, other, 0.0
			return
		case LinearEffect(slope):
			edges = _find_edges(name, values)
			for low, high in pairwise([-np.inf, *edges, np.inf]):
				anchor = low if np.isfinite(low) else high
				yield _say_band(name, low, high), low, high, anchor, effect.of_one(anchor), slope
		case StepEffect(steps, levels):
			for (low, high), level in zip(pairwise([-np.inf, *steps, np.inf]), levels, strict=True):
				anchor = low if np.isfinite(low) else high
				yield _say_band(name, low, high), low, high, anchor, level, 0.0
	if values.isna().any() or any(COLUMNS[used].nullable for used in FEATURES[name].uses):
		yield "not stated", np.nan, np.nan, np.nan, effect.of_one(np.nan), 0.0


def _find_edges(name: str, values: pd.Series) -> list[float]:
	"""Quantiles below the largest value, on values as they are shown, rising, each once."""
	own = make_own_value(name)
	shares = np.arange(1, _BANDS) / _BANDS
	wanted = values.quantile(shares, interpolation="lower").dropna().unique()
	edges = {_feature_at(own, _key_at(own, edge)) for edge in wanted if edge < values.max()}
	return sorted(edges) or [0.0]


def _key_at(own: OwnValue, edge: float) -> Any:
	scale = own.listed or range(BOUNDLESS)
	place = bisect_right(scale, edge + 1e-9, key=lambda key: _feature_at(own, key))
	return scale[max(place - 1, 0)]


def _feature_at(own: OwnValue, key: int | str) -> float:
	return float(own.feature_at(own.feature, key))


def _say_band(name: str, low: float, high: float) -> str:
	own = make_own_value(name)
	above = own.show(_key_at(own, low)) if np.isfinite(low) else ""
	up_to = own.show(_key_at(own, high)) if np.isfinite(high) else ""
	if not above and not up_to:
		return f"any value of {FEATURES[name].phrase}"
	if not above:
		return f"up to {up_to}"
	return f"over {above}, up to {up_to}" if up_to else f"over {above}"
