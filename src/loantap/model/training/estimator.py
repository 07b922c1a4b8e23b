"""The logistic default model as a pipeline, and the slim form that is served."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline as ResamplingPipeline
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import check_random_state

from loantap.features.definitions import FEATURES, FeatureSet
from loantap.model.training.logistic import BoundedLogisticRegression, as_scikit_learn
from loantap.model.training.options import Balancing, Candidate


class CategoryEncoder(OneHotEncoder):
	"""scikit-learn's encoder, fitted to as many rows as it takes to know the frequent categories.

	scikit-learn counts texts one by one, which takes longer than a fit. Missing values count as one category.
	"""

	def fit(self, X: pd.DataFrame, y: Any = None) -> CategoryEncoder:  # noqa: ARG002 - scikit-learn's signature
		"""Find the categories; `min_frequency` is a number of rows."""
		deciding = np.zeros(len(X), dtype=bool)
		for column in (X[name] for name in X):
			place = column.groupby(column, dropna=False).cumcount()
			deciding |= (place < self.min_frequency).to_numpy()
		super().fit(X[deciding])
		return self


def with_plain_encoders(columns: ColumnTransformer) -> ColumnTransformer:
	"""The fitted transformer with scikit-learn's own encoders: the same columns."""
	plain = ColumnTransformer(**columns.get_params(deep=False))
	vars(plain).update(vars(columns))
	for attribute in ("transformers", "transformers_"):
		steps = getattr(columns, attribute)
		setattr(plain, attribute, [(name, _as_plain(step), used) for name, step, used in steps])
	return plain


def _as_plain(step: Any) -> Any:
	if not isinstance(step, CategoryEncoder):
		return step
	plain = OneHotEncoder(**step.get_params())
	vars(plain).update(vars(step))
	return plain


class SampledNeighbors(NearestNeighbors):
	"""Neighbours sought among a random sample of at most `most` of the rows fitted.

	A little farther off than the nearest of all, which hardly moves SMOTE's loans. `n_neighbors` counts the row itself.
	"""

	def __init__(self, *, n_neighbors: int = 6, most: int = 5_000, random_state: int | None = None) -> None:
		super().__init__(n_neighbors=n_neighbors)
		self.most = most
		self.random_state = random_state

	def fit(self, X: npt.NDArray[Any], y: Any = None) -> SampledNeighbors:  # noqa: ARG002
		"""Keep the rows to search among."""
		rows = np.arange(len(X))
		if len(X) > self.most:
			drawn = check_random_state(self.random_state).permutation(len(X))[: self.most]
			rows = np.sort(drawn)
		self.rows_ = rows
		super().fit(X[rows])
		return self

	def kneighbors(
		self, X: npt.NDArray[Any] | None = None, n_neighbors: int | None = None, return_distance: bool = True
	) -> Any:
		"""Distances and row numbers of the neighbours, the numbers those of the rows fitted."""
		distances, places = super().kneighbors(X, n_neighbors, return_distance=True)
		found = self.rows_[places]
		return (distances, found) if return_distance else found


# Categories with fewer loans share one column: a coefficient from a dozen loans is noise.
MIN_CATEGORY_COUNT = 20


# Of each charge-off, between which and itself SMOTE makes up loans.
SMOTE_NEIGHBOURS = 5


def make_preprocessor(features: FeatureSet) -> ColumnTransformer:
	"""Impute and scale the numeric features, one-hot encode the categorical ones.

	A missing number counts as the mean of the training loans: it speaks for neither side.
	"""
	numeric = Pipeline(
		[("impute", SimpleImputer(strategy="mean", keep_empty_features=True)), ("scale", StandardScaler())]
	)
	categorical = CategoryEncoder(
		handle_unknown="infrequent_if_exist", min_frequency=MIN_CATEGORY_COUNT, sparse_output=False
	)
	return ColumnTransformer(
		[("numeric", numeric, features.numeric), ("categorical", categorical, features.categorical)],
		verbose_feature_names_out=False,
	)


def make_model(
	features: FeatureSet, candidate: Candidate, *, seed: int, max_iterations: int, tolerance: float, monotone: bool
) -> ResamplingPipeline:
	"""Unfitted pipeline of one candidate: preprocess, balance, logistic regression.

	With `monotone`, what credit sense holds against a borrower never lowers the PD (see `Feature.adverse`).
	"""
	classifier = BoundedLogisticRegression(
		C=candidate.inverse_penalty,
		l1_ratio=candidate.l1_ratio,
		class_weight="balanced" if candidate.balancing is Balancing.CLASS_WEIGHTS else None,
		signs=credit_signs(features) if monotone else (),
		max_iter=max_iterations,
		tol=tolerance,
	)
	sampler = make_sampler(candidate.balancing, seed)
	return ResamplingPipeline(
		[("preprocess", make_preprocessor(features)), ("balance", sampler), ("classify", classifier)]
	)


def make_sampler(balancing: Balancing, seed: int) -> SMOTE | str:
	"""The sampler of a way of balancing; `passthrough` where it resamples nothing."""
	if balancing is not Balancing.SMOTE:
		return "passthrough"
	neighbours = SampledNeighbors(n_neighbors=SMOTE_NEIGHBOURS + 1, random_state=seed)
	return SMOTE(random_state=seed, k_neighbors=neighbours)


def credit_signs(features: FeatureSet) -> tuple[int, ...]:
	"""Sign that credit sense gives the coefficient of each numeric feature."""
	meaning = {"high": 1, "low": -1, "": 0}
	return tuple(meaning[FEATURES[name].adverse] for name in features.numeric)


def slim(model: ResamplingPipeline) -> Pipeline:
	"""The fitted pipeline as it is served: without the sampler, which would carry training rows."""
	fitted = model["classify"]
	classifier = as_scikit_learn(fitted, fitted.coef_, fitted.intercept_)
	preprocess = with_plain_encoders(model["preprocess"])
	return Pipeline([("preprocess", preprocess), ("classify", classifier)])
