"""Recalibration of PDs on out-of-fold log-odds, by an intercept and a slope.

SMOTE and class weights raise every PD, and a penalty draws them together: this corrects both (Cox,
*Two further applications of a model for binary regression*, Biometrika 1958; Platt scaling is the
same). It keeps the order of loans and folds into the coefficients.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import chi2
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from loantap.model.training.logistic import BoundedLogisticRegression, as_scikit_learn
from loantap.portfolio.arrays import FloatArray, IntArray

# All but no penalty: a slope of thousands would take outcomes that the PDs separate fully.
_INVERSE_PENALTY = 1e6
_SIGNIFICANCE = 0.05


@dataclass(frozen=True, slots=True)
class Calibration:
	"""Calibrated log-odds are `intercept + slope x log-odds`; the slope is not negative."""

	intercept: float = 0.0
	slope: float = 1.0

	def log_odds(self, log_odds: FloatArray) -> FloatArray:
		"""Calibrated log-odds."""
		return self.intercept + self.slope * log_odds

	def apply(self, log_odds: FloatArray) -> FloatArray:
		"""Calibrated PDs."""
		calibrated: FloatArray = expit(self.log_odds(log_odds))
		return calibrated

	def fold_into(self, pipeline: Pipeline) -> Pipeline:
		"""The pipeline with the recalibration in its coefficients."""
		name, classifier = pipeline.steps[-1]
		folded = as_scikit_learn(
			classifier, self.slope * classifier.coef_, self.intercept + self.slope * classifier.intercept_
		)
		return Pipeline([*pipeline.steps[:-1], (name, folded)])


def fit_calibration(target: IntArray, log_odds: FloatArray) -> Calibration:
	"""The recalibration that makes the outcomes most likely; none where a test finds no need of it.

	A likelihood ratio test against the log-odds as they are (Vergouwe et al., *A closed testing procedure to select an
	appropriate method for updating prediction models*, Statistics in Medicine 2017). Both outcomes must be present.
	"""
	solver = BoundedLogisticRegression(C=_INVERSE_PENALTY, signs=(1,))
	with warnings.catch_warnings():
		# Where a handful of PDs separate the outcomes; what is no better is not used.
		warnings.simplefilter("ignore", ConvergenceWarning)
		solver.fit(log_odds.reshape(-1, 1), target)
	fitted = Calibration(float(solver.intercept_[0]), float(solver.coef_[0, 0]))
	gain = log_likelihood(target, fitted.log_odds(log_odds)) - log_likelihood(target, log_odds)
	return fitted if chi2.sf(2 * gain, df=2) < _SIGNIFICANCE else Calibration()


def log_likelihood(target: IntArray, log_odds: FloatArray) -> float:
	"""Log-likelihood of the outcomes, summed over loans."""
	return -float(np.logaddexp(0, np.where(target == 1, -log_odds, log_odds)).sum())


def calibrate_cross_fitted(target: IntArray, log_odds: FloatArray, fold: IntArray) -> FloatArray:
	"""PD of each loan, recalibrated on the folds that it is not in."""
	calibrated = np.empty(len(target))
	for held_out in np.unique(fold):
		inside = fold == held_out
		recalibration = fit_calibration(target[~inside], log_odds[~inside])
		calibrated[inside] = recalibration.apply(log_odds[inside])
	return calibrated


def fit_calibration_out_of_fold(out_of_fold: pd.DataFrame) -> Calibration:
	"""The recalibration for loans to come, from out-of-fold predictions."""
	return fit_calibration(out_of_fold["is_charged_off"].to_numpy(), out_of_fold["log_odds"].to_numpy())


LOGISTIC, BOOSTING = "logistic", "boosting"


@dataclass(frozen=True, slots=True)
class FittedModel:
	"""A model as it is served, with what was chosen on its training loans.

	Attributes:
		threshold: of F2; reported, never used to decide.
		out_of_fold: its training loans, from `cross_validate`.
	"""

	kind: str
	pipeline: Pipeline
	threshold: float
	hyperparameters: dict[str, Any]
	calibration: Calibration
	out_of_fold: pd.DataFrame
