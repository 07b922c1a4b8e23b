"""Metrics with and without a suspicious feature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from loantap.features.definitions import FeatureSet
from loantap.measures.intervals import Z95
from loantap.measures.metrics import f2_decline_all, f2_score, round_significant
from loantap.model.leakage.options import LeakageOptions
from loantap.model.leakage.statistics import split_folds
from loantap.model.training.estimator import make_preprocessor
from loantap.portfolio.arrays import FloatArray, IntArray

Variant = tuple[str, ...]

_MIN_PD: Final = 1e-15
_PENALTY: Final = 1.0
_F2_WEIGHTS: Final = 5.0  # 1 + beta squared
_F2_ROUNDS: Final = 10


@dataclass(frozen=True, slots=True)
class Estimate:
	"""A metric and how much each loan moves it: the mean of the influences is 0.

	The mean's variance is that of the metric (Hampel, JASA 1974). Influences of two models on the same loans subtract:
	a paired comparison.
	"""

	value: float
	influence: FloatArray

	def minus(self, other: Estimate) -> Estimate:
		"""The difference of two metrics on the same loans."""
		return Estimate(self.value - other.value, self.influence - other.influence)

	@property
	def standard_error(self) -> float:
		"""Of the value."""
		return float(np.std(self.influence)) / float(np.sqrt(len(self.influence)))

	def with_bounds(self, name: str) -> dict[str, float]:
		"""Value and 95% bounds under `name`, `name_low`, `name_high`."""
		half = Z95 * self.standard_error
		figures = {name: self.value, f"{name}_low": self.value - half}
		figures[f"{name}_high"] = self.value + half
		return {key: round_significant(value) for key, value in figures.items()}


def estimate_metrics(target: IntArray, pd_: FloatArray) -> dict[str, Estimate]:
	"""AUC, log-loss and F2 (as a ratio of means).

	Both outcomes must be present. Unlike a bootstrap, one pass gives bounds of all three that can be paired.
	"""
	bad = target == 1
	clipped = np.clip(pd_, _MIN_PD, 1 - _MIN_PD)
	losses = -np.log(np.where(bad, clipped, 1 - clipped))
	declined = pd_ >= _find_f2_threshold(target, pd_)
	numerator, denominator = 5.0 * (bad & declined), 4.0 * bad + declined
	f2 = float(numerator.mean() / denominator.mean())
	return {
		"roc_auc": estimate_auc(target, pd_),
		"log_loss": Estimate(float(losses.mean()), losses - losses.mean()),
		"f2": Estimate(f2, (numerator - f2 * denominator) / denominator.mean()),
	}


def estimate_auc(target: IntArray, scores: FloatArray) -> Estimate:
	"""AUC with influences (DeLong et al., Biometrics 1988); both outcomes must be present."""
	bad = target == 1
	# Share of the other outcome that a loan is ranked on the right side of.
	ranks = rankdata(scores)
	placed = np.empty(len(target))
	placed[bad] = (ranks[bad] - rankdata(scores[bad])) / (~bad).sum()
	placed[~bad] = 1 - (ranks[~bad] - rankdata(scores[~bad])) / bad.sum()
	area = float(placed[bad].mean())
	return Estimate(area, (placed - area) / np.where(bad, bad.mean(), (~bad).mean()))


def _find_f2_threshold(target: IntArray, pd_: FloatArray) -> float:
	"""The PD from which declining raises F2: a fifth of the F2 it gives.

	Lipton, Elkan and Naryanaswamy, *Optimal thresholding of classifiers to maximize F1 measure*,
	2014, for beta 2. The best threshold of the loans at hand is too noisy to compare models by.
	"""
	threshold = f2_decline_all(float(target.mean())) / _F2_WEIGHTS
	for _ in range(_F2_ROUNDS):
		declined = pd_ >= threshold
		caught = float(target[declined].sum())
		precision = caught / max(float(declined.sum()), 1.0)
		threshold = float(f2_score(precision, caught / float(target.sum()))) / _F2_WEIGHTS
	return threshold


def measure_impact(
	features: pd.DataFrame, target: pd.Series, suspicious: Sequence[str], caught: Sequence[str], options: LeakageOptions
) -> list[dict[str, Any]]:
	"""Out-of-fold metrics of a plain logistic regression with and without each such feature.

	"Without" are all the features that are not caught, less this one; "with" are those and this
	one. F2 is taken at its optimum for calibrated PDs.

	Returns:
		One record per suspicious feature: `feature`, `n`, `drawn_from`, `with`, `without` and `difference` (paired), each
		holding `roc_auc`, `log_loss`, `f2` and their 95% bounds `_low`, `_high`.
	"""
	if not suspicious:
		return []
	rows = draw_loans(len(target), options)
	honest = [str(name) for name in features if name not in caught]
	pairs = {
		name: (tuple([*honest, name] if name in caught else honest), tuple(other for other in honest if other != name))
		for name in suspicious
	}
	variants = list(dict.fromkeys(variant for pair in pairs.values() for variant in pair))
	estimates = _cross_fit(features.iloc[rows], target.iloc[rows], variants, options)
	return [
		{
			"feature": name,
			"n": len(rows),
			"drawn_from": len(target),
			"with": _bound(estimates[with_]),
			"without": _bound(estimates[without]),
			"difference": _bound({m: e.minus(estimates[without][m]) for m, e in estimates[with_].items()}),
		}
		for name, (with_, without) in pairs.items()
	]


def draw_loans(loans: int, options: LeakageOptions) -> IntArray:
	"""Places of at most `impact_loans` loans, in order."""
	if loans <= options.impact_loans:
		return np.arange(loans)
	rng = np.random.default_rng(options.seed)
	return np.sort(rng.choice(loans, options.impact_loans, replace=False))


def _bound(metrics: dict[str, Estimate]) -> dict[str, float]:
	bounds: dict[str, float] = {}
	for name, estimate in metrics.items():
		bounds |= estimate.with_bounds(name)
	return bounds


def _cross_fit(
	features: pd.DataFrame, target: pd.Series, variants: Sequence[Variant], options: LeakageOptions
) -> dict[Variant, dict[str, Estimate]]:
	outcomes = target.to_numpy(dtype=np.int64)
	# Fitted on all the loans at once: imputing, scaling and listing categories see no outcome.
	blocks = {name: _encode(features[[name]]) for name in map(str, features)}
	folds = split_folds(target, options)
	estimates = {}
	for variant in variants:
		columns = np.hstack([blocks[name] for name in variant])
		predicted = np.full(len(outcomes), np.nan)
		for inside, outside in folds:
			model = LogisticRegression(C=_PENALTY, solver="newton-cholesky")
			with threadpool_limits(1):
				model.fit(columns[inside], outcomes[inside])
			predicted[outside] = model.predict_proba(columns[outside])[:, 1]
		estimates[variant] = estimate_metrics(outcomes, predicted)
	return estimates


def _encode(feature: pd.DataFrame) -> FloatArray:
	name = str(feature.columns[0])
	encoder = make_preprocessor(FeatureSet(name, (name,), "a single one", for_lending=False))
	return np.asarray(encoder.fit_transform(feature), dtype=float)
