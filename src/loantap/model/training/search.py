"""Hyperparameter search over balancing, penalty and C, chosen by F2."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from imblearn.pipeline import Pipeline as ResamplingPipeline
from sklearn.base import ClassifierMixin
from sklearn.metrics import confusion_matrix_at_thresholds
from threadpoolctl import threadpool_limits

from loantap.features.definitions import FEATURE_SETS
from loantap.measures.metrics import area_under_curve, f2_variance
from loantap.model.training.calibration import log_likelihood
from loantap.model.training.estimator import SMOTE_NEIGHBOURS, make_model
from loantap.model.training.options import Candidate, TrainingOptions
from loantap.model.training.path_search import Judged, PathSearch
from loantap.model.training.splits import make_folds
from loantap.model.training.threads import fitting_here
from loantap.portfolio.arrays import AnyFloatArray, FloatArray
from loantap.portfolio.errors import InputError

_SCORES = ("f2", "f2_variance", "log_loss", "roc_auc")


@dataclass(frozen=True, slots=True)
class SearchOutcome:
	"""Result of a search.

	Attributes:
		model: `best` fitted on all the training rows.
		fold_solutions: intercept and coefficients of `best` on each fold.
		candidates: one row per candidate: its hyperparameters, mean and standard deviation of F2 at its own best
			threshold (with the sampling variance within a fold), log-loss and AUC; `mean_iterations`, `fit_seconds` of a
			fold; `converged` on all, the final fit too; `stopped_at`, the limit where not, or "";
			`within_one_standard_error`; `chosen`.
	"""

	best: Candidate
	model: ResamplingPipeline
	fold_solutions: list[AnyFloatArray]
	candidates: pd.DataFrame


def search(features: pd.DataFrame, target: pd.Series, options: TrainingOptions) -> SearchOutcome:
	"""Choose among candidates by cross-validated F2 and fit the winner.

	Each candidate is judged at its own best threshold: 0.5 would reward what shifts probabilities (SMOTE, class
	weights). Of those within one standard error of the best F2, the lowest log-loss wins; the error is that of
	sampling, since the spread over a handful of folds is too rough.

	Raises:
		InputError: an outcome has fewer loans than there are folds.
	"""
	rarest = min(int(target.sum()), int((1 - target).sum()))
	# SMOTE draws on this many loans of the rarer outcome within the other folds.
	least = math.ceil((SMOTE_NEIGHBOURS + 1) * options.folds / (options.folds - 1))
	if rarest < max(options.folds, least):
		raise InputError(
			"training loans",
			f"the rarer outcome has {rarest} loans, too few for {options.folds} folds",
			"Give a larger portfolio or set modeling.<namespace>.folds lower",
		)
	candidates = options.candidates
	paths = PathSearch(candidates, lambda c: make_candidate(c, options), score_on_fold, options.jobs)
	judged = paths.judge(features, target, make_folds(options))
	scores = tabulate_scores(candidates, judged)
	chosen = choose(scores, options.folds)
	solutions = [fold[chosen].solution for fold in judged]
	with fitting_here():
		model = fit_candidate(features, target, candidates[chosen], options, solutions[0])
	iterations = np.array([[candidate.iterations for candidate in fold] for fold in judged])
	most = iterations.max(axis=0)
	most[chosen] = max(most[chosen], model["classify"].n_iter_[0])
	table = _describe(scores, chosen, most, options)
	return SearchOutcome(candidates[chosen], model, solutions, table)


def fit_candidate(
	features: pd.DataFrame,
	target: pd.Series,
	candidate: Candidate,
	options: TrainingOptions,
	start: AnyFloatArray | Sequence[float] = (),
) -> ResamplingPipeline:
	"""Fit one candidate on the rows given, from a solution that is near."""
	model = make_candidate(candidate, options).set_params(classify__start=start)
	with threadpool_limits(1):
		return model.fit(features, target)


def adopt_solution(
	features: pd.DataFrame, target: pd.Series, candidate: Candidate, options: TrainingOptions, solution: AnyFloatArray
) -> ResamplingPipeline:
	"""One candidate with the coefficients that the search found on these rows, not resampled."""
	model = make_candidate(candidate, options).set_params(balance="passthrough")
	model["preprocess"].fit(features, target)
	model["classify"].adopt(solution, np.unique(target))
	return model


def make_candidate(candidate: Candidate, options: TrainingOptions) -> ResamplingPipeline:
	"""Unfitted pipeline of one candidate."""
	return make_model(
		FEATURE_SETS[options.feature_set],
		candidate,
		seed=options.seed,
		max_iterations=options.max_iterations,
		tolerance=options.tolerance,
		monotone=options.monotone,
	)


def score_on_fold(
	model: ClassifierMixin, features: pd.DataFrame | FloatArray, target: npt.ArrayLike
) -> dict[str, float]:
	"""Scores of a fitted candidate on a fold it did not see; greater is better.

	`f2` at its own best threshold with its sampling `f2_variance`, `log_loss` (with a minus) and `roc_auc`.
	"""
	log_odds = np.asarray(model.decision_function(features), dtype="float64")
	outcomes = np.asarray(target)
	# One sort serves every threshold, and the ranking too.
	_, fp, fn, tp, _ = confusion_matrix_at_thresholds(outcomes, log_odds)
	f2 = 5 * tp / (5 * tp + 4 * fn + fp)
	best = int(np.argmax(f2))
	return {
		"f2": float(f2[best]),
		"f2_variance": f2_variance(float(tp[best]), float(fn[best]), float(fp[best])),
		"log_loss": log_likelihood(outcomes, log_odds) / len(outcomes),
		"roc_auc": area_under_curve(fp, tp),
	}


def tabulate_scores(candidates: Sequence[Candidate], judged: Sequence[Sequence[Judged]]) -> pd.DataFrame:
	"""One row per candidate; see `SearchOutcome.candidates`, `balancing` to `fit_seconds`."""
	table = pd.DataFrame([c.as_dict() | {"candidate": c.label} for c in candidates])
	for score in _SCORES:
		values = np.array([[candidate.scores[score] for candidate in fold] for fold in judged])
		sign = -1 if score == "log_loss" else 1
		table[f"mean_{score}"] = sign * values.mean(axis=0)
		table[f"std_{score}"] = values.std(axis=0)
	table["mean_iterations"] = np.mean([[c.iterations for c in fold] for fold in judged], axis=0)
	table["fit_seconds"] = np.mean([[c.seconds for c in fold] for fold in judged], axis=0)
	return table


def _within_one_standard_error(scores: pd.DataFrame, folds: int) -> npt.NDArray[np.bool_]:
	mean = scores["mean_f2"].to_numpy()
	best = int(np.argmax(mean))
	standard_error = np.sqrt(scores["mean_f2_variance"].iloc[best] / folds)
	within: npt.NDArray[np.bool_] = mean >= mean[best] - standard_error
	return within


def choose(scores: pd.DataFrame, folds: int) -> int:
	"""Place of the candidate chosen: the lowest log-loss among those level on F2."""
	eligible = _within_one_standard_error(scores, folds)
	return int(np.argmin(np.where(eligible, scores["mean_log_loss"], np.inf)))


def _describe(
	scores: pd.DataFrame, chosen: int, iterations: npt.NDArray[np.int64], options: TrainingOptions
) -> pd.DataFrame:
	converged = iterations < options.max_iterations
	return scores.assign(
		chosen=np.arange(len(scores)) == chosen,
		converged=converged,
		stopped_at=np.where(converged, "", f"{options.max_iterations} iterations"),
		within_one_standard_error=_within_one_standard_error(scores, options.folds),
	)
