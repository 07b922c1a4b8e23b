"""Logistic regression by iteratively reweighted least squares, with bounds on the signs.

glum is faster than scikit-learn's own solvers and starts from the coefficients of the penalty
before; what comes out is scikit-learn's estimator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.utils import Tags
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from loantap.portfolio.arrays import AnyFloatArray

if TYPE_CHECKING:
	from loantap.model.training.dense_matrix import BlockwiseRegressor

# Where the fit with this C starts; it is given the last solution, if there is one.
Lead = Callable[[float, AnyFloatArray | None], AnyFloatArray | None]

# Of coordinate descent in an outer iteration. A hundred will do, but where the pincode separates SMOTE's made-up loans
# it takes up to 20,000. Cut short, it takes outer iterations instead, and each reads all loans, where a cycle takes 3
# microseconds (docs/performance.md). glum's own limit, a hundred thousand, takes longer and changes no score.
_MAX_CYCLES = 10_000

# What rounding leaves of the coefficient of a constant column: no iteration of L1 would take it to
# zero, but its penalty alone keeps L1 from converging.
_ALMOST_ZERO = 1e-8


class BoundedLogisticRegression(LogisticRegression):
	"""scikit-learn's logistic regression, fitted by glum.

	As `LogisticRegression` with `l1_ratio` 0 (L2) or 1 (L1) and an intercept that is not penalised. `signs` bound the
	first coefficients: 1 at least zero, -1 at most zero, 0 either; columns beyond are free. `max_iter` is of the outer
	iterations, `tol` the largest component of the gradient at the solution. A `start` of another number of columns is
	ignored.
	"""

	def __init__(
		self,
		C: float = 1.0,  # noqa: N803 - scikit-learn's name
		*,
		l1_ratio: float = 0.0,
		class_weight: str | None = None,
		signs: Sequence[int] = (),
		max_iter: int = 100,
		tol: float = 1e-7,
		start: AnyFloatArray | Sequence[float] = (),
	) -> None:
		super().__init__(C=C, l1_ratio=l1_ratio, class_weight=class_weight, max_iter=max_iter, tol=tol)
		self.signs = signs
		self.start = start

	def fit(
		self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
	) -> BoundedLogisticRegression:
		"""Fit on a dense matrix; ValueError where there are not two classes."""
		matrix, target = validate_data(self, X, y, dtype=[np.float64, np.float32], order="F")
		check_classification_targets(target)
		fits = len(self.start) == matrix.shape[1] + 1
		start = np.asarray(self.start) if fits else None
		[_] = self.fit_path(matrix, target, [self.C], sample_weight, lambda *_: start)
		return self

	def __sklearn_tags__(self) -> Tags:
		"""Two classes, dense input."""
		tags = super().__sklearn_tags__()
		tags.classifier_tags.multi_class = False
		tags.input_tags.sparse = False
		return tags

	def fit_path(
		self,
		X: AnyFloatArray,
		y: npt.ArrayLike,
		inverse_penalties: Sequence[float],
		sample_weight: npt.ArrayLike | None = None,
		lead: Lead | None = None,
	) -> Iterator[BoundedLogisticRegression]:
		"""Fit to one penalty after the other, each from where the last ended, or from `lead`.

		Start with the strongest penalty: each next solution is near. `X` is float32 or float64, not copied where
		column-major. Yields this estimator, fitted anew.

		Raises:
			ValueError: not two classes, or one without any weight.
		"""
		labels = np.asarray(y)
		classes, encoded = np.unique(labels, return_inverse=True)
		if len(classes) != 2:
			raise ValueError(
				"Only binary classification is supported. The type of the target is multiclass"
				if len(classes) > 2
				else f"Classifier can't train when only one class is present: {classes}"
			)
		weights = compute_sample_weight(self.class_weight, labels)
		if sample_weight is not None:
			weights = weights * np.asarray(sample_weight)
		total = float(weights.sum())
		if np.bincount(encoded, weights=weights).min() <= 0:
			raise ValueError(f"The weight of a class must not be zero: {classes}")
		solver = self._make_solver(X.shape[1])
		start: AnyFloatArray | None = None
		for inverse_penalty in inverse_penalties:
			if lead is not None:
				start = self._make_possible(lead(inverse_penalty, start))
			solver.set_params(alpha=1 / (inverse_penalty * total), start_params=start)
			solver.fit(X, encoded.astype(X.dtype), sample_weight=weights.astype(X.dtype))
			solution = np.append(solver.intercept_, solver.coef_)
			_set_fit(self, solution, classes, np.array([solver.n_iter_], dtype="int32"))
			start = self.solution
			yield self

	@property
	def solution(self) -> AnyFloatArray:
		"""Intercept and coefficients of the last fit."""
		return np.append(self.intercept_, self.coef_)

	def adopt(self, solution: AnyFloatArray, classes: AnyFloatArray) -> BoundedLogisticRegression:
		"""Take over the intercept and coefficients of a fit elsewhere."""
		_set_fit(self, solution, classes, np.array([0], dtype="int32"))
		return self

	def _make_possible(self, start: AnyFloatArray | None) -> AnyFloatArray | None:
		"""The start, with zero for a wrong sign and, under L1, for a trace of rounding."""
		if start is None:
			return None
		is_zero = np.append(0, self._pad_signs(len(start) - 1)) * start < 0
		if self.l1_ratio:
			is_zero |= np.abs(start) < _ALMOST_ZERO
		return np.where(is_zero, 0.0, start)

	def _pad_signs(self, columns: int) -> AnyFloatArray:
		signs = np.zeros(columns)
		signs[: len(self.signs)] = self.signs
		return signs

	def _make_solver(self, columns: int) -> BlockwiseRegressor:
		signs = self._pad_signs(columns)
		bounds = {}
		if signs.any():
			bounds = {"lower_bounds": np.where(signs > 0, 0.0, -np.inf), "upper_bounds": np.where(signs < 0, 0.0, np.inf)}
		# Here, since what serves a model never fits one, and to load glum takes a while.
		from loantap.model.training.dense_matrix import BlockwiseRegressor

		return BlockwiseRegressor(
			family="binomial",
			l1_ratio=self.l1_ratio,
			# Coordinate descent alone takes bounds, L1, and a Hessian that all but vanishes where a
			# category separates the outcomes.
			solver="irls-cd",
			max_iter=self.max_iter,
			max_inner_iter=_MAX_CYCLES,
			gradient_tol=self.tol,
			copy_X=False,
			check_input=False,
			**bounds,
		)


def as_scikit_learn(
	fitted: LogisticRegression, coefficients: npt.ArrayLike, intercept: npt.ArrayLike
) -> LogisticRegression:
	"""scikit-learn's own class, fitted, with these coefficients and all else of `fitted`."""
	model = LogisticRegression(
		C=fitted.C, l1_ratio=fitted.l1_ratio, class_weight=fitted.class_weight, max_iter=fitted.max_iter, tol=fitted.tol
	)
	solution = np.append(intercept, coefficients)
	_set_fit(model, solution, fitted.classes_, fitted.n_iter_)
	return model


def _set_fit(
	model: LogisticRegression, solution: AnyFloatArray, classes: AnyFloatArray, iterations: npt.NDArray[np.int32]
) -> None:
	model.classes_ = classes
	model.coef_ = np.asarray(solution[1:], dtype="float64").reshape(1, -1)
	model.intercept_ = np.array([solution[0]], dtype="float64")
	model.n_iter_ = iterations
	model.n_features_in_ = model.coef_.shape[1]
