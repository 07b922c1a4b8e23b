"""An additive model of the outcome, and what a column or a grouping of loans adds to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np
from scipy.special import expit
from threadpoolctl import threadpool_limits

from loantap.model.leakage.impact import Estimate, estimate_auc
from loantap.model.leakage.readings import YEAR, Reading
from loantap.model.leakage.statistics import Folds
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.portfolio.contradictions import TERMS

# One over the variance of effects that is believed before the data: of a bin beside the line
# through all of them, of that line, of a cell beside the sum of its margins.
_BIN_PENALTY: Final = 20.0
_LINE_PENALTY: Final = 1.0
_CELL_PENALTY: Final = 10.0
# All columns but those of the offer, and the year of issue, which both models have.
BORROWER: Final = "the borrower's columns"
TERMS_OF_OFFER: Final = frozenset({"grade", "sub_grade", *TERMS, YEAR})
# Columns that hold the same thing twice: where both were rewritten, each hides what the other adds. With the most that
# they add honestly (lower bound): of the sample, loans of 2007-10 and simulated ones 0.007 for income and DTI, else 0.
LINKED: Final[Mapping[tuple[str, str], float]] = MappingProxyType(
	{
		("annual_income", "dti_pct"): 0.015,
		("loan_amount", "instalment"): 0.005,
		("revolving_utilisation_pct", "revolving_balance"): 0.005,
		("open_accounts", "total_accounts"): 0.005,
		("public_records", "bankruptcies"): 0.005,
	}
)
_STEPS: Final = 8
_SMALL_STEP: Final = 1e-3
_LEAST_VARIANCE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Gain:
	"""By how much an AUC rises, and its standard error, paired by loan (DeLong)."""

	auc: float
	standard_error: float

	def at_least(self, z: float) -> float:
		"""Its lower bound, `z` standard errors below."""
		return self.auc - z * self.standard_error

	def at_most(self, z: float) -> float:
		"""Its upper bound, `z` standard errors above."""
		return self.auc + z * self.standard_error


@dataclass(frozen=True, slots=True)
class CrossFitted:
	"""Log-odds of each loan by the additive model of the loans of other folds.

	Attributes:
		without: log-odds had the model not read the column.
	"""

	target: IntArray
	scores: FloatArray
	without: Mapping[str, FloatArray]
	fold: IntArray

	@property
	def area(self) -> Estimate:
		"""AUC of the model."""
		return estimate_auc(self.target, self.scores)

	def before(self, column: str) -> CrossFitted:
		"""As if the model had not read `column`."""
		return replace(self, scores=self.without[column], without={})

	def gain_of(self, column: str, where: BoolArray | None = None) -> Gain:
		"""What the model gains by `column`, over the loans `where`."""
		kept = np.ones(len(self.target), dtype=bool) if where is None else where
		target = self.target[kept]
		return _compare(target, self.scores[kept], self.without[column][kept])

	def gain_by(self, cells: IntArray) -> Gain:
		"""What the model gains by one effect per cell of loans, learned on the other folds."""
		return _compare(self.target, self.scores + self._cell_effects(cells), self.scores)

	def excess(self, cells: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
		"""Per cell: charge-offs, charge-offs that the model expects, variance of those."""
		expected = expit(self.scores)
		weights = (self.target, expected, expected * (1 - expected))
		seen, hoped, variance = (np.bincount(cells, weight).astype(np.float64) for weight in weights)
		return seen, hoped, variance

	def surprise(self, cells: IntArray) -> float:
		"""By how many standard errors outcomes of cells differ from the model more than chance."""
		seen, expected, variance = self.excess(cells)
		kept = variance > _LEAST_VARIANCE
		count = max(int(kept.sum()), 1)
		squares = (seen - expected)[kept] ** 2 / variance[kept]
		return float((squares.sum() - kept.sum()) / np.sqrt(2 * count))

	def _cell_effects(self, cells: IntArray) -> FloatArray:
		expected = expit(self.scores)
		residual, variance = self.target - expected, expected * (1 - expected)
		effects = np.zeros(len(cells))
		for number in np.unique(self.fold):
			outside = self.fold == number
			learned = cells[~outside]
			excess = np.bincount(learned, residual[~outside], len(cells))
			effect = excess / (np.bincount(learned, variance[~outside], len(cells)) + _CELL_PENALTY)
			effects[outside] = effect[cells[outside]]
		return effects


def _compare(target: IntArray, scores: FloatArray, others: FloatArray) -> Gain:
	if target.min() == target.max():
		return Gain(0.0, np.inf)
	more = estimate_auc(target, scores).minus(estimate_auc(target, others))
	return Gain(more.value, more.standard_error)


def cross_fit(readings: Mapping[str, Reading], target: IntArray, folds: Folds) -> CrossFitted:
	"""Fit on the other folds: a ridge-penalised logistic regression on a line and bins per column.

	Without a column the coefficients are the best of the quadratic approximation of the likelihood
	at its optimum (Wald): a refit per column would take twenty times as long.
	"""
	design, block, penalty = _make_design(readings)
	dropped = {name: block == place for place, name in enumerate(readings)}
	dropped[BORROWER] = np.isin(block, [place for place, name in enumerate(readings) if name not in TERMS_OF_OFFER])
	for pair in LINKED:
		if set(pair) <= readings.keys():
			dropped[name_pair(pair)] = dropped[pair[0]] | dropped[pair[1]]
	scores, fold = np.empty(len(target)), np.empty_like(target)
	beta = np.zeros(design.shape[1])
	without = {name: np.empty(len(target)) for name in dropped}
	for number, (inside, outside) in enumerate(folds):
		with threadpool_limits(1):
			# The optimum is one; from that of the fold before it is near.
			beta, spread = _fit(design[inside], target[inside], penalty, beta)
			scores[outside], fold[outside] = design[outside] @ beta, number
			for name, own in dropped.items():
				fewer = beta - spread[:, own] @ np.linalg.solve(spread[np.ix_(own, own)], beta[own])
				without[name][outside] = design[outside] @ np.where(own, 0.0, fewer)
	return CrossFitted(target, scores, without, fold)


def name_pair(columns: tuple[str, str]) -> str:
	"""What a pair of linked columns is called."""
	return " and ".join(columns)


def _make_design(readings: Mapping[str, Reading]) -> tuple[FloatArray, IntArray, FloatArray]:
	loans = len(next(iter(readings.values())).codes)
	columns, block, penalty = [np.ones((loans, 1))], [-1], [1e-6]
	for place, reading in enumerate(readings.values()):
		used = np.unique(reading.codes)
		bins = (reading.codes[:, None] == used).astype(float)
		columns += [reading.score[:, None], bins]
		block += [place] * (1 + len(used))
		penalty += [_LINE_PENALTY, *[_BIN_PENALTY] * len(used)]
	return np.hstack(columns), np.array(block), np.array(penalty)


def _fit(design: FloatArray, target: IntArray, penalty: FloatArray, beta: FloatArray) -> tuple[FloatArray, FloatArray]:
	"""Coefficients by Newton's method from `beta` on, and the inverse of the penalised information."""
	for _ in range(_STEPS):
		expected = expit(design @ beta)
		weight = expected * (1 - expected)
		information = (design * weight[:, None]).T @ design
		information[np.diag_indices_from(information)] += penalty
		step = np.linalg.solve(information, design.T @ (target - expected) - penalty * beta)
		beta = beta + step
		if np.abs(step).max() < _SMALL_STEP:
			break
	return beta, np.linalg.inv(information)
