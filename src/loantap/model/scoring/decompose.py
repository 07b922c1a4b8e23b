"""Scikit-learn pipelines taken apart into scorecards."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from loantap.features.definitions import FeatureSet
from loantap.model.scoring.scorecard import Effect, LinearEffect, Scorecard, StepEffect, TableEffect
from loantap.portfolio.arrays import FloatArray

# A category that no table holds: encoders treat it as they treat any they have not seen.
_UNSEEN = "\x00unseen"
# Trees often split at the very value of some loans, and a logarithm may differ in its last bit
# between a column and a single number, or from the machine of the training.
_LAST_BITS = 8


class UnexplainableError(ValueError):
	"""The PD of a model is not the sum of its reasons."""


def make_scorecard(pipeline: Pipeline, feature_set: FeatureSet, reference: tuple[float, ...]) -> Scorecard:
	"""The additive form of a fitted logistic regression, or of boosted trees without interactions.

	Raises:
		UnexplainableError: the model is not a sum of effects, or the reference is another model's.
	"""
	match pipeline[-1]:
		case LogisticRegression():
			_require_length(reference, pipeline[-1].coef_.size)
			return _take_regression_apart(pipeline, feature_set, np.array(reference))
		case HistGradientBoostingClassifier(interaction_cst="no_interactions"):
			base, effects = _find_steps(pipeline, feature_set)
			_require_length(reference, len(effects))
			centred = {name: _shift(effect, mean) for (name, effect), mean in zip(effects.items(), reference, strict=True)}
			return Scorecard(base + sum(reference), centred)
	raise UnexplainableError(
		f"{type(pipeline[-1]).__name__} is not a sum of one effect per feature, so its PD cannot be explained exactly"
	)


def _require_length(reference: tuple[float, ...], length: int) -> None:
	if len(reference) != length:
		raise UnexplainableError(f"the reference of its reasons has {len(reference)} values, and the model {length}")


def measure_reference(pipeline: Pipeline, feature_set: FeatureSet, features: pd.DataFrame) -> tuple[float, ...]:
	"""Where contributions are measured from: the mean of the training loans.

	Of a logistic regression that of each encoded column, of boosted trees the mean effect of each feature beside that of
	a missing value.
	"""
	if isinstance(pipeline[-1], LogisticRegression):
		return tuple(_encode(pipeline, features).mean(axis=0).tolist())
	base, effects = _find_steps(pipeline, feature_set)
	return tuple(Scorecard(base, effects).contributions(features).mean().tolist())


def encoded_owners(pipeline: Pipeline, feature_set: FeatureSet) -> npt.NDArray[np.str_]:
	"""The feature of each encoded column, in the order of the coefficients."""
	return np.array(
		[
			column
			if column in feature_set.numeric
			else next(c for c in feature_set.categorical if column.startswith(f"{c}_"))
			for column in pipeline[0].get_feature_names_out()
		]
	)


def _encode(pipeline: Pipeline, features: pd.DataFrame) -> FloatArray:
	encoded = pipeline[0].transform(features)
	dense = encoded.toarray() if sparse.issparse(encoded) else encoded
	return np.asarray(dense, dtype="float64")


def _take_regression_apart(pipeline: Pipeline, feature_set: FeatureSet, reference: FloatArray) -> Scorecard:
	coefficients = pipeline[-1].coef_[0]
	owners = encoded_owners(pipeline, feature_set)
	numeric = pipeline[0].named_transformers_["numeric"]
	imputed, scaler = numeric["impute"].statistics_, numeric["scale"]
	effects: dict[str, Effect] = {}
	for place, name in enumerate(feature_set.numeric):
		slope = float(coefficients[place] / scaler.scale_[place])
		centre = float(scaler.mean_[place] + scaler.scale_[place] * reference[place])
		effects[name] = LinearEffect(slope, centre, float(slope * (imputed[place] - centre)))
	for name, probes in _probe_categories(pipeline, feature_set).items():
		owned = owners == name
		levels = (_encode(pipeline, probes)[:, owned] - reference[owned]) @ coefficients[owned]
		effects[name] = _tabulate(probes[name], levels)
	base = float(pipeline[-1].intercept_[0] + reference @ coefficients)
	return Scorecard(base, {name: effects[name] for name in feature_set.features})


def _probe_categories(pipeline: Pipeline, feature_set: FeatureSet) -> dict[str, pd.DataFrame]:
	if not feature_set.categorical:
		return {}
	encoder = pipeline[0].named_transformers_["categorical"]
	blank = dict.fromkeys(feature_set.numeric, np.nan)
	unseen = dict.fromkeys(feature_set.categorical, _UNSEEN)
	return {
		name: pd.DataFrame([blank | unseen | {name: str(category)} for category in (*categories, _UNSEEN)])
		for name, categories in zip(feature_set.categorical, encoder.categories_, strict=True)
	}


def _tabulate(categories: pd.Series, levels: FloatArray) -> TableEffect:
	table = dict(zip(categories.tolist(), levels.tolist(), strict=True))
	other = table.pop(_UNSEEN)
	return TableEffect(table, other)


def _find_steps(pipeline: Pipeline, feature_set: FeatureSet) -> tuple[float, dict[str, Effect]]:
	"""Log-odds of a row without any value, and what each value of each feature adds to it.

	Without interactions the model is a sum of step functions; each is found by asking the model at
	the end of every interval.
	"""
	edges = _list_thresholds(pipeline[-1])
	unknown: Mapping[str, float | str] = {
		**dict.fromkeys(feature_set.numeric, np.nan),
		**dict.fromkeys(feature_set.categorical, _UNSEEN),
	}
	base = float(pipeline.decision_function(pd.DataFrame([unknown]))[0])
	effects: dict[str, Effect] = {}
	for name in feature_set.numeric:
		points = np.append(edges, edges[-1] + 1) if len(edges) else np.zeros(1)
		probes = pd.DataFrame([unknown]).loc[[0] * len(points)].assign(**{name: points})
		effects[name] = _merge_steps(edges, pipeline.decision_function(probes) - base)
	for name, probes in _probe_categories(pipeline, feature_set).items():
		effects[name] = _tabulate(probes[name], pipeline.decision_function(probes) - base)
	return base, {name: effects[name] for name in feature_set.features}


def _list_thresholds(classifier: HistGradientBoostingClassifier) -> FloatArray:
	"""All values at which the trees split a number, rising.

	scikit-learn publishes no view of these trees: no more than the thresholds is taken of their nodes.
	"""
	nodes = [tree.nodes for stage in classifier._predictors for tree in stage]  # noqa: SLF001
	splits = [n[(n["is_leaf"] == 0) & (n["is_categorical"] == 0)]["num_threshold"] for n in nodes]
	thresholds: FloatArray = np.unique(np.concatenate([*splits, np.empty(0)]))
	finite: FloatArray = thresholds[np.isfinite(thresholds)]
	return finite


def _merge_steps(edges: FloatArray, levels: FloatArray) -> StepEffect:
	"""The step function without the edges at which other features step, each a hair higher."""
	steps = np.flatnonzero(np.diff(levels))
	kept = levels[np.append(steps, len(levels) - 1)]
	ends = edges[steps] + _LAST_BITS * np.spacing(np.abs(edges[steps]))
	return StepEffect(tuple(ends.tolist()), tuple(kept.tolist()), 0.0)


def _shift(effect: Effect, by: float) -> Effect:
	match effect:
		case StepEffect(edges, levels, missing):
			return StepEffect(edges, tuple(level - by for level in levels), missing - by)
		case TableEffect(table, other):
			return TableEffect({name: level - by for name, level in table.items()}, other - by)
	return effect
