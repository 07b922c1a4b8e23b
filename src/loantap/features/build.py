"""Features out of typed applications."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from loantap.features.definitions import FEATURES
from loantap.features.formulas import MISSING, compute_column
from loantap.portfolio.arrays import FloatArray
from loantap.portfolio.column_reading import Texts
from loantap.portfolio.dictionary import COLUMNS, Kind

__all__ = ["MISSING", "build_features", "columns_used", "to_values"]
_TEXT = (Kind.CATEGORY, Kind.TEXT)


def build_features(applications: pd.DataFrame, names: Sequence[str] = ()) -> pd.DataFrame:
  """Compute model features, one row per application; all where no names are given.

  Numeric features are NaN where missing; categorical ones text with `missing` written out, so
  that training and serving treat an absent value alike.
  """
  names = names or tuple(FEATURES)
  columns = {name: to_values(applications[name], is_text=COLUMNS[name].kind in _TEXT) for name in columns_used(names)}
  return pd.DataFrame(
    {name: _to_series(compute_column(name, columns), applications.index) for name in names}, index=applications.index
  )


def columns_used(names: Sequence[str] = ()) -> tuple[str, ...]:
  """Canonical columns that these features, or all, are computed from."""
  used = (column for name in names or FEATURES for column in FEATURES[name].uses)
  return tuple(dict.fromkeys(used))


def to_values(column: pd.Series, *, is_text: bool) -> FloatArray | Texts:
  """A typed column without its index: numbers, months as days since 1970, or texts."""
  if is_text:
    codes, values = pd.factorize(column.astype("str"))
    return Texts(codes, tuple(values))
  if pd.api.types.is_datetime64_any_dtype(column):
    days = column.to_numpy("datetime64[D]")
    return np.where(np.isnat(days), np.nan, days.astype("int64"))
  return column.to_numpy("float64", na_value=np.nan)


def _to_series(values: FloatArray | Texts, index: pd.Index) -> pd.Series:
  if isinstance(values, Texts):
    texts = pd.array(list(values.values), dtype="str").take(values.codes)
    return pd.Series(texts, index=index)
  return pd.Series(values, index=index)
