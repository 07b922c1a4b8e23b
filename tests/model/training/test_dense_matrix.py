import numpy as np
import pytest
from tabmat import DenseMatrix

from loantap.model.training.dense_matrix import BlockwiseMatrix
from loantap.model.training.logistic import BoundedLogisticRegression

RNG = np.random.default_rng(5)
# Two blocks of rows, and some more.
MATRIX = np.asfortranarray(RNG.normal(size=(9_000, 7)))
WEIGHTS = RNG.normal(size=len(MATRIX))  # Of either sign, as the change of a Hessian's.
SOME_ROWS = np.flatnonzero(RNG.random(len(MATRIX)) < 0.4).astype("int32")
SOME_COLUMNS = np.array([5, 0, 2], dtype="int32")
EVERY_ROW = np.arange(len(MATRIX), dtype="int32")
EVERY_COLUMN = np.arange(MATRIX.shape[1], dtype="int32")

rows_asked = pytest.mark.parametrize(
  "rows", [None, EVERY_ROW, SOME_ROWS, SOME_ROWS[:0]], ids=["None", "all", "some", "none"]
)
columns_asked = pytest.mark.parametrize("cols", [None, EVERY_COLUMN, SOME_COLUMNS], ids=["None", "all", "some"])


@rows_asked
@columns_asked
@pytest.mark.parametrize("order", ["F", "C"])
def test_the_sandwich_is_tabmat_s(rows, cols, order):
  ours = BlockwiseMatrix(MATRIX.copy(order)).sandwich(WEIGHTS, rows, cols)

  expected = DenseMatrix(MATRIX).sandwich(WEIGHTS, rows, cols)
  np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-9)


@columns_asked
@pytest.mark.parametrize("adds_to", [False, True])
def test_the_product_with_a_vector_is_tabmat_s(cols, adds_to):
  vector = RNG.normal(size=MATRIX.shape[1])
  ours, expected = (
    matrix.matvec(vector, cols, np.ones(len(MATRIX)) if adds_to else None)
    for matrix in (BlockwiseMatrix(MATRIX), DenseMatrix(MATRIX))
  )

  np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-12)


@rows_asked
@columns_asked
@pytest.mark.parametrize("adds_to", [False, True])
def test_the_transposed_product_is_tabmat_s(rows, cols, adds_to):
  ours, expected = (
    matrix.transpose_matvec(WEIGHTS, rows, cols, np.ones(MATRIX.shape[1]) if adds_to else None)
    for matrix in (BlockwiseMatrix(MATRIX), DenseMatrix(MATRIX))
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
  target = RNG.random(len(MATRIX)) < 0.3
  fitted = BoundedLogisticRegression().fit(MATRIX, target)

  assert asked == [MATRIX.shape] * int(fitted.n_iter_[0])
