"""Training: the logistic regression, and the boosted trees that challenge it."""

import pandas as pd
from imblearn.pipeline import Pipeline as ResamplingPipeline
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder
from threadpoolctl import threadpool_limits

from loantap.features.definitions import FEATURE_SETS, FeatureSet
from loantap.model.training.calibration import BOOSTING, LOGISTIC, Calibration, FittedModel, fit_calibration_out_of_fold
from loantap.model.training.estimator import MIN_CATEGORY_COUNT, credit_signs, slim
from loantap.model.training.options import SEARCH_TOLERANCE, ChallengerOptions, TrainingOptions
from loantap.model.training.predictions import cross_validate
from loantap.model.training.search import SearchOutcome, adopt_solution, fit_candidate, search
from loantap.model.training.threads import fitting_threads


def make_challenger(features: FeatureSet, options: ChallengerOptions, seed: int) -> Pipeline:
	"""Unfitted pipeline of the challenger: encode categories, boost.

	What credit sense holds against a borrower never lowers the PD (`Feature.adverse`). A missing number counts as the
	mean: boosting would otherwise read a vintage in it (mortgage accounts are missing up to 2011, never after 2012).
	"""
	imputer = SimpleImputer(strategy="mean", keep_empty_features=True)
	encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, min_frequency=MIN_CATEGORY_COUNT)
	columns = ColumnTransformer(
		[("numeric", imputer, features.numeric), ("categorical", encoder, features.categorical)],
		verbose_feature_names_out=False,
	)
	numeric, categorical = len(features.numeric), len(features.categorical)
	boosting = HistGradientBoostingClassifier(
		learning_rate=options.learning_rate,
		max_iter=options.trees,
		max_leaf_nodes=options.leaves,
		min_samples_leaf=options.min_loans_in_leaf,
		l2_regularization=options.l2_penalty,
		monotonic_cst=[*credit_signs(features), *[0] * categorical],
		categorical_features=list(range(numeric, numeric + categorical)),
		interaction_cst="no_interactions",
		early_stopping=False,
		random_state=seed,
	)
	return Pipeline([("preprocess", columns), ("classify", boosting)])


def fit_challenger(
	features: pd.DataFrame, target: pd.Series, feature_set: FeatureSet, options: ChallengerOptions, seed: int
) -> Pipeline:
	"""Fit the challenger on the rows given, on one thread so that sums repeat."""
	with threadpool_limits(1):
		return make_challenger(feature_set, options, seed).fit(features, target)


def feature_names(options: TrainingOptions) -> list[str]:
	"""Columns of the feature set of a model."""
	return list(FEATURE_SETS[options.feature_set].features)


def train_logistic(rows: pd.DataFrame, options: TrainingOptions) -> FittedModel:
	"""Search, cross-validate, calibrate: everything is chosen on these rows alone."""
	features = rows[feature_names(options)]
	outcome = search(features, rows["is_charged_off"], options)
	return finish_logistic(outcome, cross_validate_candidate(rows, outcome, options), options)


def cross_validate_candidate(rows: pd.DataFrame, outcome: SearchOutcome, options: TrainingOptions) -> pd.DataFrame:
	"""Out-of-fold PDs of the candidate that the search chose; see `cross_validate`.

	Each fold's fit goes on from the search's solution, or is that where it is exact enough.
	"""
	chosen = outcome.candidates[outcome.candidates["chosen"]]
	is_exact = options.tolerance >= SEARCH_TOLERANCE and bool(chosen["converged"].all())
	fit_from = adopt_solution if is_exact else fit_candidate

	def fit(features: pd.DataFrame, target: pd.Series, fold: int) -> ResamplingPipeline:
		return fit_from(features, target, outcome.best, options, outcome.fold_solutions[fold])

	return cross_validate(rows, feature_names(options), fit, options)


def finish_logistic(outcome: SearchOutcome, out_of_fold: pd.DataFrame, options: TrainingOptions) -> FittedModel:
	"""The candidate as it is served: without its sampler, calibrated out of fold."""
	calibration = fit_calibration_out_of_fold(out_of_fold) if options.calibrated else Calibration()
	return FittedModel(
		kind=LOGISTIC,
		pipeline=calibration.fold_into(slim(outcome.model)),
		threshold=float(out_of_fold["threshold"].iloc[0]),
		hyperparameters=outcome.best.as_dict(),
		calibration=calibration,
		out_of_fold=out_of_fold,
	)


def train_challenger(rows: pd.DataFrame, options: TrainingOptions) -> FittedModel:
	"""Fit the challenger on the same folds; it minimises log-loss and is not calibrated."""
	challenger = options.challenger
	if challenger is None:
		raise ValueError(f"no challenger is set for {options.name}")
	feature_set = FEATURE_SETS[options.feature_set]

	def fit(features: pd.DataFrame, target: pd.Series) -> Pipeline:
		return fit_challenger(features, target, feature_set, challenger, options.seed)

	names = feature_names(options)
	raw = options.model_copy(update={"calibrated": False})
	# Beside the folds, the last of which would leave a thread idle.
	with fitting_threads(1) as thread:
		whole = thread.submit(fit, rows[names], rows["is_charged_off"])
		out_of_fold = cross_validate(rows, names, lambda x, y, _: fit(x, y), raw)
	return FittedModel(
		kind=BOOSTING,
		pipeline=whole.result(),
		threshold=float(out_of_fold["threshold"].iloc[0]),
		hyperparameters=challenger.model_dump(),
		calibration=Calibration(),
		out_of_fold=out_of_fold,
	)
