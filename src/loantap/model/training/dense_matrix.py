"""A dense matrix for glum whose products let other threads work (docs/adr/0007).

tabmat's own hold the interpreter's lock, so that fits in several threads wait for each other.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from glum import GeneralizedLinearRegressor
from tabmat import DenseMatrix

from loantap.portfolio.arrays import AnyFloatArray

# Rows of a block: with 70 columns, 2 MiB of the matrix and as much of its weighted copy.
_BLOCK_ROWS = 4096

Places = npt.NDArray[np.int32]


class BlockwiseMatrix(DenseMatrix):
	"""tabmat's dense matrix with all products by BLAS.

	What is left out has weight zero: copying the rest takes longer than multiplying all.
	"""

	def sandwich(self, d: AnyFloatArray, rows: Places | None = None, cols: Places | None = None) -> AnyFloatArray:
		"""`X.T @ diag(d) @ X` of the rows and columns asked for: columns x columns; weights of either sign."""
		matrix: AnyFloatArray = self.unpack()
		weights = _keep(d, rows)
		if cols is not None and len(cols) == matrix.shape[1]:
			cols = None
		width = matrix.shape[1] if cols is None else len(cols)
		total = np.zeros((width, width), dtype=matrix.dtype, order="F")
		# A product of its own for each block: block and copy stay in the processor's cache.
		weighted = np.empty((_BLOCK_ROWS, width), dtype=matrix.dtype, order="F")
		for start in range(0, len(matrix), _BLOCK_ROWS):
			rows_here = slice(start, min(start + _BLOCK_ROWS, len(matrix)))
			block = matrix[rows_here] if cols is None else matrix[rows_here, cols]
			scaled = weighted[: len(block)]
			np.multiply(block, weights[rows_here, None], out=scaled)
			total += block.T @ scaled
		return total

	def matvec(self, vec: AnyFloatArray, cols: Places | None = None, out: AnyFloatArray | None = None) -> AnyFloatArray:
		"""`X[:, cols] @ vec[cols]`: one value per row, added to `out` if there is one."""
		product: AnyFloatArray = super().matvec(_keep(vec, cols), None, out)
		return product

	def transpose_matvec(
		self, vec: AnyFloatArray, rows: Places | None = None, cols: Places | None = None, out: AnyFloatArray | None = None
	) -> AnyFloatArray:
		"""`X[rows, cols].T @ vec[rows]`: one value per column asked for."""
		product: AnyFloatArray = super().transpose_matvec(_keep(vec, rows))
		asked = product if cols is None else product[cols]
		if out is None:
			return asked
		out[slice(None) if cols is None else cols] += asked
		return out


def _keep(values: AnyFloatArray, places: Places | None) -> AnyFloatArray:
	values = np.asarray(values)
	if places is None or len(places) == len(values):
		return values
	kept = np.zeros_like(values)
	kept[places] = values[places]
	return kept


class BlockwiseRegressor(GeneralizedLinearRegressor):
	"""glum's regressor on such a matrix."""

	def _set_up_and_check_fit_args(self, X: Any, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
		"""Here glum wraps the matrix; a matrix of another class it would unwrap first."""
		wrapped, *others = super()._set_up_and_check_fit_args(X, *args, **kwargs)
		return BlockwiseMatrix(wrapped.unpack()), *others
