"""Contests between models."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from loantap.features.definitions import FEATURE_SETS
from loantap.model.promotion.release import Champion
from loantap.model.promotion.rule import Condition, Verdict, judge_against, judge_alone, judge_target, reach_verdict
from loantap.model.training.calibration import FittedModel
from loantap.model.training.options import TrainingOptions
from loantap.model.training.predictions import OUT_OF_TIME, TEST, predict_samples
from loantap.model.training.splits import Split
from loantap.model.training.train import feature_names, train_challenger
from loantap.portfolio.identity import is_among
from loantap.portfolio.target import Target


@dataclass(frozen=True, slots=True)
class Contest:
	"""Which kind of model goes forward; `verdict` is None where there was no challenger."""

	winner: FittedModel
	predictions: pd.DataFrame
	verdict: Verdict | None


def challenge(
	model_input: pd.DataFrame,
	logistic: FittedModel,
	predictions: pd.DataFrame,
	report: dict[str, Any],
	options: TrainingOptions,
) -> Contest:
	"""Let the challenger, trained on the same splits, take the place of the logistic regression.

	The test split has no say in it: what is quoted of the winner there would flatter it.
	"""
	if options.challenger is None:
		return Contest(logistic, predictions, None)
	train = model_input[model_input["split"].eq(Split.TRAIN)]
	boosting = train_challenger(train, options)
	challenging = predict_samples(
		model_input, feature_names(options), boosting, lambda rows: train_challenger(rows, options)
	)
	conditions = [
		*judge_alone(challenging, list_caught(report, options), options.promotion, options.seed),
		*judge_against(challenging[challenging["sample"].ne(TEST)], predictions, options.promotion, options.seed),
	]
	verdict = reach_verdict(boosting.kind, logistic.kind, conditions)
	if verdict.promoted:
		return Contest(boosting, challenging, verdict)
	return Contest(logistic, predictions, verdict)


def judge_promotion(
	model_input: pd.DataFrame,
	contest: Contest,
	report: dict[str, Any],
	champion: Champion | None,
	options: TrainingOptions,
	digest: str = "",
	target: Target = Target.CHARGED_OFF,
) -> Verdict:
	"""Whether the new model becomes champion; one with its `digest`, or of another target, does not."""
	new, rule = contest.predictions, options.promotion
	conditions = judge_alone(new, list_caught(report, options), rule, options.seed)
	conditions += judge_target(target, champion.target if champion else None)
	name = f"the new {contest.winner.kind} model of {options.name}"
	if champion is None:
		return reach_verdict(name, "", conditions)
	if digest and digest == champion.digest:
		evidence = f"same data, same model as {champion.label}: nothing new registered"
		return reach_verdict(name, champion.label, [*conditions, Condition("a new model", False, evidence)])
	if champion.target is not target:
		return reach_verdict(name, champion.label, conditions)
	old = predict_as_champion(model_input, new, champion)
	conditions += judge_against(new, old, rule, options.seed)
	return reach_verdict(name, champion.label, conditions)


def predict_as_champion(model_input: pd.DataFrame, new: pd.DataFrame, champion: Champion) -> pd.DataFrame:
	"""PDs of the champion for the loans the new model was judged on, none of which it had seen.

	The prediction it was registered with for the same kind of sample is taken; loans it was never given are scored now.
	The rest are left out: all where no predictions were kept, for then nobody knows what it saw. Returns `loan_id`,
	`sample`, `probability_of_default`.
	"""
	if champion.predictions.empty:
		return new.loc[[], ["loan_id", "sample", "probability_of_default"]]
	asked = new[["loan_id", "sample"]].assign(is_future=new["sample"].eq(OUT_OF_TIME))
	kept = champion.predictions[["loan_id", "sample", "probability_of_default"]]
	kept = kept.assign(is_future=kept["sample"].eq(OUT_OF_TIME)).drop(columns="sample")
	known = asked.merge(kept, on=["loan_id", "is_future"]).drop(columns="is_future")
	unknown = asked[~is_among(asked["loan_id"], kept["loan_id"])].drop(columns="is_future")
	if unknown.empty or champion.trained is None:
		return known
	names = list(champion.trained.pipeline.feature_names_in_)
	if not set(names) <= set(model_input.columns):  # it was trained on features of another release
		return known
	rows = model_input.set_index("loan_id").loc[unknown["loan_id"], names]
	scored = unknown.assign(probability_of_default=champion.trained.pipeline.predict_proba(rows)[:, 1])
	return pd.concat([known, scored], ignore_index=True)


def list_caught(report: dict[str, Any], options: TrainingOptions) -> list[str] | None:
	"""Features of a lending model that the gate caught; None of others, which are not asked."""
	feature_set = FEATURE_SETS[options.feature_set]
	if not feature_set.for_lending:
		return None
	return [
		entry["feature"] for entry in report["features"] if entry["caught"] and entry["feature"] in feature_set.features
	]
