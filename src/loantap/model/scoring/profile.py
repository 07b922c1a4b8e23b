"""What a model was trained on, in counts: enough to see drift, and no row of a person."""

from typing import Final, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt, model_validator

from loantap.features.build import MISSING
from loantap.features.definitions import FEATURES
from loantap.measures.auc import measure_auc
from loantap.portfolio.arrays import FloatArray, IntArray

SCORE: Final = "score"
# A band or category of a smaller share joins others.
_BANDS: Final = 10
_LEAST_SHARE: Final = 0.02


class FeatureProfile(BaseModel):
	"""How one feature was spread over the rows of training, `missing` of them without a value.

	`edges` begin each band of a number but the first, `levels` of a category come most frequent first; `counts` are
	rows by either. `mean` and `deviation` (standard) are None of a category.
	"""

	model_config = ConfigDict(frozen=True, extra="forbid")

	feature: str
	missing: NonNegativeInt
	counts: tuple[NonNegativeInt, ...]
	edges: tuple[float, ...] = ()
	levels: tuple[str, ...] = ()
	mean: float | None = None
	deviation: float | None = None

	@model_validator(mode="after")
	def _fits(self) -> Self:
		# A category without any value in training has no levels.
		if self.counts and len(self.counts) != (len(self.levels) or len(self.edges) + 1):
			raise ValueError(f"{self.feature}: {len(self.counts)} counts do not fit its bands")
		return self

	@property
	def n(self) -> int:
		"""Rows with a value."""
		return sum(self.counts)

	@property
	def rows(self) -> int:
		"""All rows."""
		return self.n + self.missing


class TrainingProfile(BaseModel):
	"""What a version's training data looked like; `n` counts loans, `roc_auc` and PDs in `score` are out of fold."""

	model_config = ConfigDict(frozen=True, extra="forbid")

	n: PositiveInt
	default_rate: float
	roc_auc: float
	roc_auc_low: float
	roc_auc_high: float
	features: tuple[FeatureProfile, ...]
	score: FeatureProfile


def profile_training(features: pd.DataFrame, target: IntArray, probability_of_default: FloatArray) -> TrainingProfile:
	"""Profile the rows that a model was trained on, with their outcomes and PDs out of fold."""
	area, low, high = measure_auc(target, probability_of_default)
	return TrainingProfile(
		n=len(features),
		default_rate=float(target.mean()),
		roc_auc=area,
		roc_auc_low=low,
		roc_auc_high=high,
		features=tuple(profile_feature(features[str(name)]) for name in features.columns),
		score=profile_feature(pd.Series(probability_of_default, name=SCORE)),
	)


def profile_feature(values: pd.Series, like: FeatureProfile | None = None) -> FeatureProfile:
	"""Profile one feature, as `build_features` gives it; in the bands of another profile, its levels first."""
	name = str(values.name)
	if name in FEATURES and FEATURES[name].categorical:
		counted = values[values.ne(MISSING)].value_counts()
		levels = tuple(dict.fromkeys([*(like.levels if like else ()), *map(str, counted.index)]))
		counts = tuple(map(int, counted.reindex(list(levels), fill_value=0)))
		return FeatureProfile(feature=name, missing=len(values) - sum(counts), counts=counts, levels=levels)
	numbers = values.to_numpy("float64")
	numbers = numbers[~np.isnan(numbers)]
	edges = np.array(like.edges) if like else _choose_edges(numbers)
	has_any = len(numbers) > 0
	return FeatureProfile(
		feature=name,
		missing=len(values) - len(numbers),
		counts=tuple(map(int, _count_bands(numbers, edges))),
		edges=tuple(map(float, edges)),
		mean=float(numbers.mean()) if has_any else None,
		deviation=float(numbers.std()) if has_any else None,
	)


def _choose_edges(numbers: FloatArray) -> FloatArray:
	"""Inner edges of bands of about equal counts, where a value that many rows share has a band of its own.

	Quantiles alone would put all of a feature that is mostly 0 into one band, where no change shows.
	"""
	distinct, counts = np.unique(numbers, return_counts=True)
	if len(distinct) <= _BANDS:
		return distinct[1:]
	common = distinct[counts > len(numbers) / _BANDS]
	rest = numbers[~np.isin(numbers, common)]
	bands = max(2, round(_BANDS * len(rest) / len(numbers)))
	inner = np.quantile(rest, np.linspace(0, 1, bands + 1)[1:-1])
	# A band of one value ends with the next number there is.
	edges = np.unique(np.concatenate([inner, common, np.nextafter(common, np.inf)]))
	above: FloatArray = edges[edges > distinct[0]]
	return above


def _count_bands(numbers: FloatArray, edges: FloatArray) -> IntArray:
	return np.bincount(np.searchsorted(edges, numbers, side="right"), minlength=len(edges) + 1)


def group_bands(profile: FeatureProfile) -> IntArray:
	"""The group that each band or level is compared in: small bands join those before, rare levels each other."""
	least = _LEAST_SHARE * profile.n
	counts = np.array(profile.counts)
	if profile.levels:
		is_frequent = counts >= least
		return np.where(is_frequent, np.cumsum(is_frequent) - 1, is_frequent.sum())
	groups, held = np.zeros(len(counts), dtype="int64"), 0.0
	for band in range(1, len(counts)):
		held += counts[band - 1]
		is_full = held >= least and counts[band:].sum() >= least
		groups[band] = groups[band - 1] + is_full
		held = 0.0 if is_full else held
	return groups
