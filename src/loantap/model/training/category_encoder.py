"""One-hot encoding that need not count every row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder


class CategoryEncoder(OneHotEncoder):
  """scikit-learn's encoder, fitted to as many rows as it takes to know the frequent categories.

  scikit-learn counts texts one by one, which takes longer than a fit of the model. Missing values
  count as one category.
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
