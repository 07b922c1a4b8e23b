import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import check_estimator
from tabmat import DenseMatrix

from loantap.model.training.dense_matrix import BlockwiseMatrix
from loantap.model.training.logistic import BoundedLogisticRegression, as_scikit_learn

# The second feature goes with the first; the third and the last say little or nothing.
EFFECTS = np.array([0.8, -0.4, 0.0, 0.3, -0.1, 0.02])
INVERSE_PENALTIES = (0.01, 0.1, 1.0, 100.0, 1e4)


def make_loans(loans=800, seed=3):
	rng = np.random.default_rng(seed)
	matrix = rng.normal(size=(loans, 6))
	matrix[:, 1] += 0.7 * matrix[:, 0]
	target = rng.random(loans) < expit(-1.4 + matrix @ EFFECTS)
	return np.asfortranarray(matrix), target.astype("int8")


MATRIX, TARGET = make_loans()


def all_coefficients(model):
	return np.append(model.intercept_, model.coef_)


def test_it_behaves_as_scikit_learn_asks_of_a_classifier():
	check_estimator(BoundedLogisticRegression(), on_skip=None)


@pytest.mark.parametrize("l1_ratio", [0, 1], ids=["L2", "L1"])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("inverse_penalty", [0.02, 1.0, 1e4])
def test_its_coefficients_are_scikit_learn_s(l1_ratio, class_weight, inverse_penalty):
	plain = LogisticRegression(
		C=inverse_penalty,
		l1_ratio=l1_ratio,
		class_weight=class_weight,
		solver="saga" if l1_ratio else "newton-cholesky",
		tol=1e-10,
		max_iter=20_000,
		random_state=1,
	).fit(MATRIX, TARGET)

	ours = BoundedLogisticRegression(C=inverse_penalty, l1_ratio=l1_ratio, class_weight=class_weight, tol=1e-9).fit(
		MATRIX, TARGET
	)

	np.testing.assert_allclose(all_coefficients(ours), all_coefficients(plain), atol=2e-6)
	np.testing.assert_array_equal(ours.coef_ == 0, plain.coef_ == 0)


@pytest.mark.parametrize("signs", [(), (1, 1)], ids=["free", "signed"])
@pytest.mark.parametrize("l1_ratio", [0, 1], ids=["L2", "L1"])
def test_each_step_of_a_path_is_what_a_fit_of_its_own_gives(l1_ratio, signs):
	model = BoundedLogisticRegression(l1_ratio=l1_ratio, signs=signs, tol=1e-9)

	path = [all_coefficients(fitted) for fitted in model.fit_path(MATRIX, TARGET, INVERSE_PENALTIES)]

	alone = [all_coefficients(clone(model).set_params(C=c).fit(MATRIX, TARGET)) for c in INVERSE_PENALTIES]
	np.testing.assert_allclose(path, alone, atol=1e-6)
	assert len({tuple(step) for step in path}) == len(INVERSE_PENALTIES)


def test_a_second_path_does_not_start_where_the_first_ended():
	model = BoundedLogisticRegression(max_iter=3)
	with pytest.warns(ConvergenceWarning):
		first, second = ([all_coefficients(f) for f in model.fit_path(MATRIX, TARGET, [1e4])] for _ in range(2))

	np.testing.assert_array_equal(first, second)


# The second effect is negative and asked to be positive.
@pytest.mark.parametrize("l1_ratio", [0, 1], ids=["L2", "L1"])
def test_an_effect_of_the_wrong_sign_is_left_out_as_if_the_feature_were_not_there(l1_ratio):
	others = [0, 2, 3, 4, 5]

	signed = BoundedLogisticRegression(l1_ratio=l1_ratio, signs=(0, 1), tol=1e-9)
	signed.fit(MATRIX, TARGET)

	without = BoundedLogisticRegression(l1_ratio=l1_ratio, tol=1e-9)
	without.fit(MATRIX[:, others], TARGET)
	assert signed.coef_[0, 1] == 0
	np.testing.assert_allclose(signed.coef_[0, others], without.coef_[0], atol=1e-6)


@given(
	seed=st.integers(0, 1_000),
	signs=st.lists(st.sampled_from([-1, 0, 1]), max_size=6).map(tuple),
	l1_ratio=st.sampled_from([0, 1]),
	inverse_penalty=st.sampled_from(INVERSE_PENALTIES),
)
def test_no_coefficient_ever_contradicts_its_sign(seed, signs, l1_ratio, inverse_penalty):
	model = BoundedLogisticRegression(C=inverse_penalty, l1_ratio=l1_ratio, signs=signs)

	model.fit(*make_loans(200, seed))

	assert (model.coef_[0, : len(signs)] * signs >= 0).all()


@pytest.mark.parametrize("weights", [np.zeros(len(TARGET)), 1.0 * TARGET])
def test_an_outcome_without_weight_is_refused(weights):
	with pytest.raises(ValueError, match="weight of a class must not be zero"):
		BoundedLogisticRegression().fit(MATRIX, TARGET, weights)


def test_what_is_served_is_scikit_learn_s_own_class_with_the_same_pds():
	model = BoundedLogisticRegression(C=2, l1_ratio=1).fit(MATRIX, TARGET)

	served = as_scikit_learn(model, model.coef_, model.intercept_)

	assert type(served) is LogisticRegression
	assert (served.C, served.l1_ratio) == (2, 1)
	np.testing.assert_array_equal(served.predict_proba(MATRIX), model.predict_proba(MATRIX))
	np.testing.assert_array_equal(served.predict(MATRIX), model.predict(MATRIX))


@pytest.mark.parametrize("inverse_penalty", [0.1, 1.0])
def test_a_constant_column_keeps_no_path_from_converging(inverse_penalty):
	"""The L2 solution, from which L1 starts, leaves a trace of rounding in its coefficient."""
	constant = np.asfortranarray(np.column_stack([MATRIX, np.ones(len(MATRIX))]))
	start = BoundedLogisticRegression(C=inverse_penalty).fit(constant, TARGET).solution
	classifier = BoundedLogisticRegression(C=inverse_penalty, l1_ratio=1, max_iter=20)

	[fitted] = classifier.fit_path(constant, TARGET, [inverse_penalty], lead=lambda *_: start)

	assert start[-1] != 0
	assert fitted.n_iter_[0] < 10
	assert fitted.coef_[0][-1] == 0
	assert np.count_nonzero(fitted.coef_) >= 4
	np.testing.assert_allclose(fitted.solution, clone(classifier).fit(constant, TARGET).solution, atol=1e-6)


RNG = np.random.default_rng(5)
# Two blocks of rows, and some more.
DENSE = np.asfortranarray(RNG.normal(size=(9_000, 7)))
WEIGHTS = RNG.normal(size=len(DENSE))  # Of either sign, as the change of a Hessian's.
SOME_ROWS = np.flatnonzero(RNG.random(len(DENSE)) < 0.4).astype("int32")
SOME_COLUMNS = np.array([5, 0, 2], dtype="int32")
EVERY_ROW = np.arange(len(DENSE), dtype="int32")
EVERY_COLUMN = np.arange(DENSE.shape[1], dtype="int32")

rows_asked = pytest.mark.parametrize(
	"rows", [None, EVERY_ROW, SOME_ROWS, SOME_ROWS[:0]], ids=["None", "all", "some", "none"]
)
columns_asked = pytest.mark.parametrize("cols", [None, EVERY_COLUMN, SOME_COLUMNS], ids=["None", "all", "some"])


@rows_asked
@columns_asked
@pytest.mark.parametrize("order", ["F", "C"])
def test_the_sandwich_is_tabmat_s(rows, cols, order):
	ours = BlockwiseMatrix(DENSE.copy(order)).sandwich(WEIGHTS, rows, cols)

	expected = DenseMatrix(DENSE).sandwich(WEIGHTS, rows, cols)
	np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-9)


@columns_asked
@pytest.mark.parametrize("adds_to", [False, True])
def test_the_product_with_a_vector_is_tabmat_s(cols, adds_to):
	vector = RNG.normal(size=DENSE.shape[1])
	ours, expected = (
		matrix.matvec(vector, cols, np.ones(len(DENSE)) if adds_to else None)
		for matrix in (BlockwiseMatrix(DENSE), DenseMatrix(DENSE))
	)

	np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-12)


@rows_asked
@columns_asked
@pytest.mark.parametrize("adds_to", [False, True])
def test_the_transposed_product_is_tabmat_s(rows, cols, adds_to):
	ours, expected = (
		matrix.transpose_matvec(WEIGHTS, rows, cols, np.ones(DENSE.shape[1]) if adds_to else None)
		for matrix in (BlockwiseMatrix(DENSE), DenseMatrix(DENSE))
	)

	np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-9)


def test_fits_use_it(monkeypatch):
	"""It is put in place by a private method of glum, which a release may rename."""
	asked = []
	sandwich = BlockwiseMatrix.sandwich

	def spy(self, *arguments):
		asked.append(self.shape)
		return sandwich(self, *arguments)

	monkeypatch.setattr(BlockwiseMatrix, "sandwich", spy)
	monkeypatch.setattr(DenseMatrix, "sandwich", None)
	target = RNG.random(len(DENSE)) < 0.3
	fitted = BoundedLogisticRegression().fit(DENSE, target)

	assert asked == [DENSE.shape] * int(fitted.n_iter_[0])
