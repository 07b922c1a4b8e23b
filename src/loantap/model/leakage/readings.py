"""Columns of the loans as the additive model of the gate reads them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import norm

from loantap.features.build import MISSING
from loantap.features.definitions import FEATURES
from loantap.model.leakage.statistics import Folds
from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.portfolio.dictionary import COLUMNS, Kind

YEAR: Final = "issue year"
_BINS: Final = 10
_COARSE: Final = 8
_RAREST: Final = 0.004
_FEWEST: Final = 20
_READ: Final = frozenset({Kind.NUMBER, Kind.COUNT, Kind.CATEGORY})


@dataclass(frozen=True, slots=True)
class Reading:
	"""A column of all loans.

	Attributes:
		codes: the group of each loan: a category, or one of ten equal-count bins, missing last.
		coarse: as `codes`, of eight bins, for pairs.
		score: normal score of its rank; 0 where it is missing.
	"""

	name: str
	codes: IntArray
	coarse: IntArray
	score: FloatArray
	labels: tuple[str, ...]
	features: tuple[str, ...]
	is_category: bool = False

	@property
	def is_missing(self) -> IntArray:
		"""1 where the loan has no value."""
		missing: IntArray = (self.codes == len(self.labels) - 1).astype(np.int64)
		return missing


def read_columns(loans: pd.DataFrame, features: pd.DataFrame, names: Iterable[str]) -> dict[str, Reading]:
	"""What the features `names` are computed from, where it is not wholly missing.

	The age of a date is read as its feature is.
	"""
	users: dict[str, list[str]] = {}
	for name in names:
		used = FEATURES[name].uses
		is_dated = any(COLUMNS[column].kind not in _READ for column in used)
		for column in (name,) if is_dated else used:
			users.setdefault(column, []).append(name)
	tables = {column: features if column not in loans else loans for column in users}
	return {
		column: read(table[column], column, users[column])
		for column, table in tables.items()
		if table[column].notna().any()
	}


def read(values: pd.Series, name: str, features: Sequence[str] = ()) -> Reading:
	"""One column with a value at least; numbers in bins, categories of too few loans together with what is missing."""
	is_category = not pd.api.types.is_numeric_dtype(values)
	codes: IntArray
	if is_category:
		codes, names = pd.factorize(values, sort=True)
		least = max(_FEWEST, _RAREST * len(values))
		kept = np.bincount(codes[codes >= 0]) >= least
		place = np.where(kept, np.cumsum(kept) - 1, kept.sum())
		codes = np.where(codes < 0, kept.sum(), place[codes])
		labels = [str(name) for name in np.asarray(names)[kept]]
		coarse, ranks = codes, pd.Series(codes, values.index).rank(pct=True)
	else:
		numbers = values.to_numpy(dtype=float)
		codes, labels = _bin(numbers, _BINS)
		coarse, ranks = _bin(numbers, _COARSE)[0], values.rank(pct=True)
	score = norm.ppf((ranks - 0.5 / len(values)).clip(1e-4, 1 - 1e-4))
	codes = np.asarray(codes, dtype=np.int64)
	return Reading(name, codes, coarse, np.nan_to_num(score), (*labels, MISSING), tuple(features), is_category)


def _bin(numbers: FloatArray, bins: int) -> tuple[IntArray, list[str]]:
	present = numbers[~np.isnan(numbers)]
	distinct = np.unique(present)
	edges = distinct[:-1] if len(distinct) <= bins else np.unique(np.quantile(present, np.arange(1, bins) / bins))
	codes = np.searchsorted(edges, numbers)
	labels = [f"up to {edge:g}" for edge in edges] + [f"over {edges[-1]:g}" if len(edges) else f"{distinct[0]:g}"]
	return np.where(np.isnan(numbers), len(labels), codes), labels


def cross(one: IntArray, other: IntArray) -> IntArray:
	"""The cell of each loan in the table of two groupings."""
	return np.unique(one * (other.max() + 1) + other, return_inverse=True)[1]


def fold_by_content(readings: Mapping[str, Reading], target: IntArray, folds: int) -> Folds:
	"""Folds that keep equal loans together, so that a repeated row teaches nothing of itself."""
	content = pd.DataFrame({name: r.score for name, r in readings.items()})
	digest = pd.util.hash_pandas_object(content, index=False)
	fold = digest.groupby(target).rank(method="dense").to_numpy() % folds
	return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(folds)]
