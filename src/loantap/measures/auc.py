"""Intervals of the AUC and of differences between AUCs on the same loans.

- Bootstrap for a model on a sample: it assumes least, and bounds the sample's other figures too.
- Hanley and McNeil for a fold, a group of the audit and a feature of the leakage gate: it needs the
  AUC and two counts only, and errs on the wide side: none is accused by chance.
- DeLong for what a suspicious feature adds: it pairs two models by loan.

Near an AUC of .7 they agree: `lending` out of fold (n = 4,715, AUC .713) has .693 to .732, .693 to
.733 and .694 to .731. At .9 (n = 524) the second is 40% wider.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_auc_score

from loantap.measures.intervals import normal_bounds
from loantap.portfolio.arrays import FloatArray, IntArray

Item = TypeVar("Item")
Result = TypeVar("Result")

# Further items made while these threads work.
_THREADS = 2
_AHEAD = 4


def map_ahead(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
	"""What the function makes of each item, in their order, in threads.

	Only a few are made ahead: arrays of all loans would exceed memory.
	"""
	waiting: deque[Future[Result]] = deque()
	with ThreadPoolExecutor(_THREADS) as threads:
		for item in items:
			waiting.append(threads.submit(function, item))
			if len(waiting) > _AHEAD:
				yield waiting.popleft().result()
		while waiting:
			yield waiting.popleft().result()


# Of fewer loans of an outcome an AUC says nothing.
MIN_FOR_AUC = 10
_QUANTILES = (0.025, 0.975)


def bootstrap_aucs(target: IntArray, scores: npt.NDArray[np.float64], *, seed: int, resamples: int) -> FloatArray:
	"""AUC of each score in each bootstrap resample of the loans, the same for all scores.

	Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993. Ties count one half. `scores` has one row per score;
	higher is riskier. Returns one row per resample, one column per score: differences are paired.
	"""
	# Sorting once and weighting by draws saves a sort per resample.
	places = [np.unique(score, return_inverse=True)[1] for score in scores]

	def measure(drawn: IntArray) -> list[float]:
		bad = drawn * target
		return [area_of_ranks(place, bad, drawn - bad) for place in places]

	draws = islice(draw_resamples(target, seed), resamples)
	return np.array(list(map_ahead(measure, draws)))


def draw_resamples(target: IntArray, seed: int) -> Iterator[IntArray]:
	"""How often each loan is drawn, resample by resample; ValueError where both outcomes cannot be present."""
	rng = np.random.default_rng(seed)
	loans = len(target)
	if not 0 < target.sum() < loans:
		raise ValueError(f"{loans:,} loans of one outcome cannot be resampled: an AUC compares both outcomes")
	while True:
		drawn = np.bincount(rng.integers(0, loans, loans), minlength=loans)
		if 0 < drawn @ target < loans:
			yield drawn


def measure_auc(target: IntArray, score: FloatArray) -> tuple[float, float, float]:
	"""AUC of loans and 95% bounds (Hanley and McNeil); NaN if under `MIN_FOR_AUC` of an outcome."""
	bad = int(target.sum())
	if min(bad, len(target) - bad) < MIN_FOR_AUC:
		return np.nan, np.nan, np.nan
	area = float(roc_auc_score(target, score))
	low, high = normal_bounds(np.array(area), np.array(auc_standard_error(area, pd.Series(target))))
	return area, float(low), float(high)


def resample_auc(target: IntArray, score: FloatArray, *, seed: int, resamples: int) -> tuple[float, float, float]:
	"""AUC of loans and 95% bounds (bootstrap); NaN if under `MIN_FOR_AUC` of an outcome."""
	bad = int(target.sum())
	if min(bad, len(target) - bad) < MIN_FOR_AUC:
		return np.nan, np.nan, np.nan
	drawn = bootstrap_aucs(target, score[None], seed=seed, resamples=resamples)
	return float(roc_auc_score(target, score)), *quantile_bounds(drawn[:, 0])


def auc_standard_error(area: float, target: pd.Series) -> float:
	"""Standard error of an AUC (Hanley and McNeil, Radiology 1982)."""
	bad = float(target.sum())
	return standard_error_of_counts(area, bad, len(target) - bad)


def standard_error_of_counts(area: float, bad: float, good: float) -> float:
	"""The same of so many loans of each outcome."""
	pair_bad, pair_good = area / (2 - area), 2 * area**2 / (1 + area)
	variance = area * (1 - area)
	variance += (bad - 1) * (pair_bad - area**2) + (good - 1) * (pair_good - area**2)
	return float(np.sqrt(max(variance, 0.0) / (bad * good)))


def quantile_bounds(resampled: FloatArray) -> tuple[float, float]:
	"""95% percentile bounds of a figure from its bootstrap resamples."""
	low, high = np.quantile(resampled, _QUANTILES)
	return float(low), float(high)


def area_of_ranks(place: IntArray, bad: IntArray | FloatArray, good: IntArray | FloatArray) -> float:
	"""AUC of loans by the place of their score, each counting so much as `bad` and so much as `good`."""
	bads, goods = np.bincount(place, weights=bad), np.bincount(place, weights=good)
	below = np.cumsum(goods) - goods / 2
	return float(bads @ below / (bads.sum() * goods.sum()))
