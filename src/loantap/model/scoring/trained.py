"""A fitted model with the facts needed to serve it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field
from sklearn.pipeline import Pipeline

from loantap.features.build import MISSING
from loantap.features.definitions import FEATURE_SETS, FEATURES, FeatureSet
from loantap.model.scoring.decompose import measure_reference
from loantap.model.scoring.profile import TrainingProfile, profile_training
from loantap.model.training.calibration import FittedModel
from loantap.model.training.options import TrainingOptions
from loantap.portfolio.dictionary import SUB_GRADES
from loantap.portfolio.target import Target


class ModelFacts(BaseModel):
	"""What goes with a model in the registry; JSON throughout.

	Attributes:
		not_for_lending: models on the pincode must never decide.
		kind: `logistic` or `boosting`.
		calibration: intercept and slope folded into the coefficients; 0 and 1 for none.
		threshold: F2 threshold, reported, never used to decide.
		pd_quantiles: out-of-fold PD at each share, where policy bands may begin.
		reference: see `measure_reference`.
		sub_grades: those sold when it was trained, best first.
		ranges: lowest and highest of each numeric feature in training; empty in old versions.
		rates: the same of each sub-grade's rate in percent; empty where the model does not take them.
		profile: None in old versions and where no decision may rest on the model.
	"""

	model_config = ConfigDict(frozen=True, extra="forbid")

	namespace: str
	feature_set: str
	origin: str
	not_for_lending: bool
	kind: str
	hyperparameters: dict[str, str | float]
	calibration: tuple[float, float]
	threshold: float
	training_loans: int
	training_charge_offs: int
	pd_quantiles: dict[str, float]
	reference: tuple[float, ...]
	sub_grades: tuple[str, ...]
	target: Target = Target.CHARGED_OFF
	ranges: dict[str, tuple[float, float]] = Field(default_factory=dict)
	rates: dict[str, tuple[float, float]] = Field(default_factory=dict)
	profile: TrainingProfile | None = None


@dataclass(frozen=True, slots=True)
class TrainedModel:
	"""A fitted pipeline, its facts and a made-up example."""

	pipeline: Pipeline
	facts: ModelFacts
	example: pd.DataFrame


def make_trained_model(
	fitted: FittedModel,
	features: pd.DataFrame,
	origin: str,
	options: TrainingOptions,
	target: Target = Target.CHARGED_OFF,
) -> TrainedModel:
	"""Put together what is served."""
	feature_set = FEATURE_SETS[options.feature_set]
	out_of_fold = fitted.out_of_fold
	quantiles = out_of_fold["probability_of_default"].quantile(list(options.pd_quantiles))
	facts = ModelFacts(
		namespace=options.name,
		feature_set=feature_set.name,
		origin=origin,
		not_for_lending=not feature_set.for_lending,
		kind=fitted.kind,
		hyperparameters=fitted.hyperparameters,
		calibration=(fitted.calibration.intercept, fitted.calibration.slope),
		threshold=fitted.threshold,
		training_loans=len(features),
		training_charge_offs=int(out_of_fold["is_charged_off"].sum()),
		pd_quantiles={f"{share:g}": float(pd_) for share, pd_ in quantiles.items()},
		reference=measure_reference(fitted.pipeline, feature_set, features),
		sub_grades=SUB_GRADES,
		target=target,
		ranges=_measure_ranges(features, feature_set.numeric),
		rates=_measure_rates(features),
		profile=_profile(feature_set, features, out_of_fold),
	)
	return TrainedModel(fitted.pipeline, facts, make_example(features))


def _profile(feature_set: FeatureSet, features: pd.DataFrame, out_of_fold: pd.DataFrame) -> TrainingProfile | None:
	"""Of a model that may decide; nobody monitors another."""
	if not feature_set.for_lending:
		return None
	target, pd_ = (out_of_fold[name].to_numpy() for name in ("is_charged_off", "probability_of_default"))
	return profile_training(features[list(feature_set.features)], target, pd_)


def make_example(features: pd.DataFrame) -> pd.DataFrame:
	"""One made-up applicant: the median of each number, the commonest category."""
	example = {
		name: column.median() if pd.api.types.is_numeric_dtype(column) else _commonest(column)
		for name, column in features.items()
	}
	return pd.DataFrame([example])


def tabulate_coefficients(pipeline: Pipeline) -> pd.DataFrame:
	"""Coefficients per encoded column, largest effect first.

	Columns `feature`, `coefficient` (log-odds per standard deviation, or per category), `odds_ratio`.
	"""
	names = pipeline[0].get_feature_names_out()
	coefficients = pipeline[-1].coef_[0]
	# A category that separates the outcomes runs off to infinity where the penalty is weak.
	with np.errstate(over="ignore"):
		ratios = np.exp(coefficients)
	table = pd.DataFrame({"feature": names, "coefficient": coefficients, "odds_ratio": ratios})
	order = table["coefficient"].abs().sort_values(ascending=False, kind="stable").index
	return table.loc[order].reset_index(drop=True)


def _measure_ranges(features: pd.DataFrame, names: list[str]) -> dict[str, tuple[float, float]]:
	"""Lowest and highest value of each feature; of those that measure the same, of the first."""
	first = {FEATURES[name].phrase: name for name in reversed(names)}
	measured = {name: features[name] for name in names if name in first.values()}
	return {name: (float(values.min()), float(values.max())) for name, values in measured.items() if values.notna().any()}


def _measure_rates(features: pd.DataFrame) -> dict[str, tuple[float, float]]:
	if not {"interest_rate_pct", "sub_grade_rank"} <= set(features.columns):
		return {}
	by_grade = features.groupby("sub_grade_rank")["interest_rate_pct"].agg(["min", "max"]).dropna()
	return {SUB_GRADES[int(rank)]: (float(low), float(high)) for rank, low, high in by_grade.itertuples()}


def _commonest(column: pd.Series) -> str:
	counts = column.value_counts()
	return str(counts.index[0]) if len(counts) else MISSING
