"""Nearest neighbours for SMOTE at a cost that does not grow with the square of the loans."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state


class SampledNeighbors(NearestNeighbors):
  """Neighbours sought among a random sample of at most `most` of the rows fitted.

  So they are a little farther off than the nearest of all, which is all that SMOTE's made-up
  loans notice. `n_neighbors` counts the row itself.
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
