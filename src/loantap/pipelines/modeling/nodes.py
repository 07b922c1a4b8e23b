"""Nodes of the `modeling` pipeline, one instance per model."""

from typing import Any

import pandas as pd

from loantap.model.promotion.contest import Contest, challenge
from loantap.model.promotion.contest import judge_promotion as judge
from loantap.model.promotion.release import Champions, Release, digest_model
from loantap.model.promotion.rule import Verdict, await_signature
from loantap.model.scoring.trained import TrainedModel, make_trained_model, tabulate_coefficients
from loantap.model.training.calibration import FittedModel
from loantap.model.training.options import TrainingOptions
from loantap.model.training.predictions import predict_samples as predict
from loantap.model.training.search import SearchOutcome, search
from loantap.model.training.splits import Split, digest_loans
from loantap.model.training.train import cross_validate_candidate, feature_names, finish_logistic, train_logistic
from loantap.model.validation.evaluation import EvaluationOptions, make_plain
from loantap.model.validation.evaluation import report_calibration as report_before_and_after
from loantap.portfolio.assembly import portfolio_origin
from loantap.portfolio.identity import is_among
from loantap.portfolio.target import Target


def search_hyperparameters(model_input: pd.DataFrame, options: TrainingOptions) -> tuple[SearchOutcome, pd.DataFrame]:
	"""Choose a candidate by cross-validated F2 on the training split, and fit it there."""
	train = _train(model_input)
	outcome = search(train[feature_names(options)], train["is_charged_off"], options)
	return outcome, outcome.candidates


def predict_out_of_fold(model_input: pd.DataFrame, outcome: SearchOutcome, options: TrainingOptions) -> pd.DataFrame:
	"""PDs of training loans by models that did not see them, and the F2 threshold."""
	return cross_validate_candidate(_train(model_input), outcome, options)


def calibrate_model(
	outcome: SearchOutcome, out_of_fold: pd.DataFrame, options: TrainingOptions
) -> tuple[FittedModel, pd.DataFrame]:
	"""The candidate with its calibration folded in, and its coefficients."""
	fitted = finish_logistic(outcome, out_of_fold, options)
	return fitted, tabulate_coefficients(fitted.pipeline)


def predict_samples(model_input: pd.DataFrame, logistic: FittedModel, options: TrainingOptions) -> pd.DataFrame:
	"""PDs and F2 decisions in cross-validation, on the test split and out of time."""
	return predict(model_input, feature_names(options), logistic, lambda rows: train_logistic(rows, options))


def challenge_model(
	model_input: pd.DataFrame,
	logistic: FittedModel,
	logistic_predictions: pd.DataFrame,
	leakage_report: dict[str, Any],
	options: TrainingOptions,
) -> tuple[Contest, pd.DataFrame]:
	"""The better of the logistic regression and its challenger, and its predictions."""
	contest = challenge(model_input, logistic, logistic_predictions, leakage_report, options)
	return contest, contest.predictions


def assemble_model(
	model_input: pd.DataFrame,
	contest: Contest,
	reconciliation: pd.DataFrame,
	target: dict[str, Any],
	options: TrainingOptions,
) -> TrainedModel:
	"""The winner with its facts: what is served."""
	features = _train(model_input)[feature_names(options)]
	origin = portfolio_origin(reconciliation)
	return make_trained_model(contest.winner, features, origin, options, Target(target["name"]))


def judge_promotion(
	model_input: pd.DataFrame,
	contest: Contest,
	trained: TrainedModel,
	leakage_report: dict[str, Any],
	champions: Champions,
	target: dict[str, Any],
	options: TrainingOptions,
) -> tuple[tuple[Verdict, ...], dict[str, Any]]:
	"""Whether the new model becomes champion of its origin, and why or why not."""
	digest = digest_model(trained, contest.predictions)
	champion = champions[options.name]().get(trained.facts.origin)
	verdict = judge(model_input, contest, leakage_report, champion, options, digest, trained.facts.target)
	verdicts = (contest.verdict, verdict) if contest.verdict else (verdict,)
	challenger = contest.verdict.as_dict() if contest.verdict else None
	return verdicts, {"challenger": challenger, "champion": verdict.as_dict(), "target": target}


def propose_promotion(
	model_input: pd.DataFrame,
	contest: Contest,
	trained: TrainedModel,
	leakage_report: dict[str, Any],
	champions: Champions,
	target: dict[str, Any],
	options: TrainingOptions,
) -> tuple[tuple[Verdict, ...], dict[str, Any]]:
	"""The same comparison; the champion stays until a person signs for the new model."""
	verdicts, report = judge_promotion(model_input, contest, trained, leakage_report, champions, target, options)
	proposed = await_signature(verdicts[-1])
	return (*verdicts[:-1], proposed), report | {"champion": proposed.as_dict()}


def package_model(
	model_input: pd.DataFrame,
	loans: pd.DataFrame,
	trained: TrainedModel,
	predictions: pd.DataFrame,
	training_report: dict[str, Any],
	verdicts: tuple[Verdict, ...],
) -> Release:
	"""The model as it is registered, with all that is known of its training."""
	training = None
	if not trained.facts.not_for_lending:
		rows = loans[is_among(loans["loan_id"], _train(model_input)["loan_id"])]
		training = digest_loans(rows, trained.facts.feature_set)
	return Release(trained, predictions, training_report, verdicts, training)


def report_calibration(
	out_of_fold: pd.DataFrame, training: TrainingOptions, evaluation: EvaluationOptions
) -> dict[str, Any]:
	"""`calibration.json`: reliability of the logistic regression before and after recalibration."""
	report: dict[str, Any] = make_plain(report_before_and_after(out_of_fold, training.calibrated, evaluation))
	return report


def report_training(
	candidates: pd.DataFrame, coefficients: pd.DataFrame, calibration_report: dict[str, Any], promotion: dict[str, Any]
) -> dict[str, Any]:
	"""`training.json`: what a page says of how a model came about."""
	report: dict[str, Any] = make_plain(
		{"candidates": candidates, "coefficients": coefficients, "calibration": calibration_report, "promotion": promotion}
	)
	return report


def _train(model_input: pd.DataFrame) -> pd.DataFrame:
	return model_input[model_input["split"].eq(Split.TRAIN)]
