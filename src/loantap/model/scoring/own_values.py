"""The value of a borrower that a reason quotes, rounded as it is shown."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from loantap.features.definitions import FEATURES
from loantap.features.formulas import MISSING, make_formula, tell_column, tell_one
from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.portfolio.column_reading import Texts
from loantap.portfolio.dictionary import COLUMNS

_DECIMALS = re.compile(r"\.(\d)([f%])")
# Stands for a share of nothing, which is more than any other.
BOUNDLESS = 10**15

# A value as it is shown: a whole number of its smallest steps, or a text; None where missing.
Key = int | str | None


@dataclass(frozen=True, slots=True)
class OwnValue:
  """What is quoted of a borrower for one feature.

  `column` is None where the feature has several, and their true ratio is quoted, whatever the
  model is shown of it. There are `steps` shown values to one unit.
  """

  feature: str
  column: str | None
  display: str
  steps: int
  is_text: bool

  def take_column(self, columns: Mapping[str, FloatArray | Texts], rows: IntArray) -> FloatArray | Texts:
    """The values to be quoted, by row."""
    if self.column:
      return _take_rows(columns[self.column], rows)
    uses = FEATURES[self.feature].uses
    return tell_column(self.feature, [_take_rows(columns[name], rows) for name in uses])  # type: ignore[misc]

  def take_one(self, columns: Mapping[str, Any]) -> Any:
    """The value of one application."""
    if self.column:
      return columns[self.column]
    return tell_one(self.feature, [columns[name] for name in FEATURES[self.feature].uses])

  @property
  def listed(self) -> Sequence[int] | Sequence[str]:
    """All values it could have, as shown, rising; empty where they are not a few."""
    if self.column is None:
      return ()
    column = COLUMNS[self.column]
    return column.categories or [int(value * self.steps) for value in column.values]

  def round_one(self, value: float | str | None) -> Key:
    """One value as it is shown."""
    if value is None or isinstance(value, str):
      return None if value == MISSING else value
    if math.isnan(value):
      return None
    return math.floor(min(value, BOUNDLESS / self.steps) * self.steps + 0.5)

  def round_column(self, values: FloatArray | Texts) -> tuple[IntArray, list[Key]]:
    """Values as shown: the place of each in the list, whose last entry is None."""
    if isinstance(values, Texts):
      return values.codes, [*(self.round_one(text) for text in values.values), None]
    rounded = np.floor(np.minimum(values, BOUNDLESS / self.steps) * self.steps + 0.5)
    codes, distinct = pd.factorize(rounded)
    return codes, [*distinct.astype("int64").tolist(), None]

  def show(self, key: int | str) -> str:
    """A rounded value in words."""
    if key == BOUNDLESS:
      return FEATURES[self.feature].of_nothing
    value = key if isinstance(key, str) else key / self.steps
    shown = self.display.format(value).replace("_", " ")
    return "1 year" if shown == "1 years" else shown

  def feature_at(self, name: str, key: int | str) -> float | str:
    """What a feature of the same column, or the feature itself, is at a rounded value."""
    value = key if isinstance(key, str) else key / self.steps
    return value if self.column is None else make_formula(name)(value)

  def features_at(self, name: str, keys: IntArray) -> FloatArray:
    """The same at many rounded values."""
    values = keys / self.steps
    return values if self.column is None else tell_column(name, [values])


def _take_rows(values: FloatArray | Texts, rows: IntArray) -> FloatArray | Texts:
  if isinstance(values, Texts):
    return Texts(values.codes[rows], values.values)
  return values[rows]


def make_own_value(name: str) -> OwnValue:
  """What is quoted for a feature: the column it is computed from; of several, the feature."""
  feature = FEATURES[name]
  column = feature.uses[0] if len(feature.uses) == 1 else None
  found = _DECIMALS.search(feature.display)
  decimals = int(found[1]) + (2 if found[2] == "%" else 0) if found else 0
  return OwnValue(name, column, feature.display, 10**decimals, found is None)
