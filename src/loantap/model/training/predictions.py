"""PDs of the samples a model is judged on."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from loantap.measures.metrics import decline_cross_fitted, find_best_threshold
from loantap.model.training.calibration import Calibration, FittedModel, calibrate_cross_fitted
from loantap.model.training.options import TrainingOptions
from loantap.model.training.splits import Split, make_folds
from loantap.model.training.threads import fitting_threads
from loantap.portfolio.errors import InputError

CROSS_VALIDATION, TEST, OUT_OF_TIME = "cv", "test", "out_of_time"
SAMPLES = (CROSS_VALIDATION, TEST, OUT_OF_TIME)

Fit = Callable[[pd.DataFrame, pd.Series, int], Any]


def cross_validate(rows: pd.DataFrame, features: list[str], fit: Fit, options: TrainingOptions) -> pd.DataFrame:
	"""Out-of-fold PDs of training loans, decided at thresholds found on other folds.

	`rows`: one per loan, `loan_id`, `is_charged_off`, features. `fit` takes features, outcomes and the fold left out,
	and gives a model with a `decision_function`.

	Returns:
		One row per loan: `loan_id`, `fold`, `is_charged_off`, `probability_of_default` (calibrated on other folds),
		`threshold` (for loans to come, from all folds), `declined` (at the threshold of other folds) and `log_odds`
		(before calibration).
	"""
	target = rows["is_charged_off"]
	log_odds, fold = predict_out_of_fold(rows[features], target, fit, options)
	outcomes = target.to_numpy()
	pd_ = calibrate_cross_fitted(outcomes, log_odds, fold) if options.calibrated else Calibration().apply(log_odds)
	if options.threshold is None:
		threshold, _ = find_best_threshold(outcomes, pd_)
		declined = decline_cross_fitted(outcomes, pd_, fold)
	else:
		threshold, declined = options.threshold, pd_ >= options.threshold
	labelled = _label(rows, pd_, threshold)
	return labelled.assign(fold=fold, declined=declined, log_odds=log_odds)


def predict_out_of_fold(
	features: pd.DataFrame, target: pd.Series, fit: Fit, options: TrainingOptions
) -> tuple[np.ndarray, np.ndarray]:
	"""Log-odds of every row by a model that did not see it, and its fold."""
	fold = np.full(len(target), -1, dtype="int64")
	log_odds = np.full(len(target), np.nan)

	def predict(numbered: tuple[int, tuple[np.ndarray, np.ndarray]]) -> None:
		number, (inside, outside) = numbered
		model = fit(features.iloc[inside], target.iloc[inside], number)
		log_odds[outside] = model.decision_function(features.iloc[outside])
		fold[outside] = number

	folds = enumerate(make_folds(options).split(features, target))
	with fitting_threads(options.jobs) as threads:
		list(threads.map(predict, folds))
	return log_odds, fold


def predict_samples(
	model_input: pd.DataFrame, features: list[str], trained: FittedModel, train: Callable[[pd.DataFrame], FittedModel]
) -> pd.DataFrame:
	"""PDs in cross-validation, on the test split and out of time.

	`model_input` has one row per loan: `loan_id`, `is_charged_off`, `split`, `known_from`, `judged_at`, features.
	`train` trains on other rows as `trained` was on the training split.

	Returns:
		One row per sample and loan, as `cross_validate` without `log_odds`, and `sample`; `fold` is -1 outside
		cross-validation. Out of time each origin has its own model of what was known before it, if any could be judged.
	"""
	test = model_input[model_input["split"].eq(Split.TEST)]
	samples = [
		trained.out_of_fold.drop(columns="log_odds").assign(sample=CROSS_VALIDATION),
		_predict(test, features, trained).assign(sample=TEST),
	]
	samples += [rows.assign(sample=OUT_OF_TIME) for rows in _roll(model_input, features, train)]
	return pd.concat(samples, ignore_index=True).astype({"sample": "str"})


def _roll(
	model_input: pd.DataFrame, features: list[str], train: Callable[[pd.DataFrame], FittedModel]
) -> Iterator[pd.DataFrame]:
	for origin in sorted(model_input["judged_at"].dropna().unique()):
		judged = model_input[model_input["judged_at"].eq(origin)]
		known = model_input[model_input["known_from"].le(origin)]
		yield _predict(judged, features, train(known))


def _predict(rows: pd.DataFrame, features: list[str], model: FittedModel) -> pd.DataFrame:
	return _label(rows, model.pipeline.predict_proba(rows[features])[:, 1], model.threshold)


def _label(rows: pd.DataFrame, pd_: np.ndarray, threshold: float) -> pd.DataFrame:
	return pd.DataFrame(
		{
			"loan_id": rows["loan_id"].to_numpy(),
			"fold": -1,
			"is_charged_off": rows["is_charged_off"].to_numpy(),
			"probability_of_default": pd_,
			"threshold": threshold,
			"declined": pd_ >= threshold,
		}
	).astype({"loan_id": "str", "fold": "int64"})


def join_out_of_fold(predictions: pd.DataFrame, loans: pd.DataFrame) -> pd.DataFrame:
	"""Training loans with the PD of the model that did not see them; InputError where they are not its loans."""
	out_of_fold = predictions.loc[
		predictions["sample"].eq(CROSS_VALIDATION), ["loan_id", "probability_of_default", "declined"]
	]
	joined = out_of_fold.merge(loans, on="loan_id", validate="one_to_one")
	if len(joined) < len(out_of_fold):
		raise InputError(
			"evaluation",
			f"{len(out_of_fold) - len(joined):,} of {len(out_of_fold):,} training loans of the "
			"predictions are not in 03_primary/loans: another portfolio was read since",
			"Run `--pipelines training`, which evaluates the models of that portfolio",
		)
	return joined
