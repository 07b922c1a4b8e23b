"""A reported figure beside the recomputed one."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd


class Check(NamedTuple):
  """One figure; of rows the means, and their largest difference."""

  figure: str
  n: int
  reported: float
  recomputed: float
  difference: float
  tolerance: float
  reason: str

  @property
  def agrees(self) -> bool:
    """False where only one side has a number."""
    return self.difference <= self.tolerance


def compare(
  figure: str, n: int, reported: Any, recomputed: Any, tolerance: float | None = None, reason: str = "exact"
) -> Check:
  """Numbers, or arrays of them; without a tolerance they agree to six significant digits."""
  told, found = (np.atleast_1d(np.asarray(given, dtype=float)) for given in (reported, recomputed))
  gaps = np.where(np.isnan(told) & np.isnan(found), 0, np.abs(told - found))
  if tolerance is None:
    tolerance, reason = 5e-6 * np.nan_to_num(abs(told[0])) + 1e-9, "six digits are reported"
  return Check(figure, n, float(told.mean()), float(found.mean()), float(gaps.max()), float(tolerance), reason)


class Material(NamedTuple):
  """Raw loans by id; files by name; the run's parameters by path; facts of the model."""

  raw: pd.DataFrame
  files: Mapping[str, Any]
  parameters: Mapping[str, Any]
  facts: Mapping[str, Any]

  def sample(self, name: str) -> pd.DataFrame:
    """Its predictions beside the raw loans."""
    rows: pd.DataFrame = self.files["predictions.parquet"]
    return rows[rows["sample"] == name].join(self.raw, on="loan_id")

  def below(self, path: str) -> dict[str, Any]:
    """Parameters below a path."""
    return {name.removeprefix(path): value for name, value in self.parameters.items() if name.startswith(path)}
