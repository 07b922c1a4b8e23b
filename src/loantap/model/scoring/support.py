"""Applications unlike the loans that a model was trained on, which a person must look at.

Their PD is a guess, as it is where no loan of the grade had such a rate, or where the instalment is
not that of amount, rate and term.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from loantap.features.definitions import FEATURES
from loantap.portfolio.amortisation import emi_of_one
from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.portfolio.column_reading import Texts
from loantap.portfolio.contradictions import CLOSE, TERMS, is_off

_INSTALMENT: Final = "the instalment does not follow from the amount, the rate and the term"
_RATE: Final = "no loan of this grade that the model was trained on had such an interest rate"
_NO_BOUNDS: Final = (-np.inf, np.inf)


@dataclass(frozen=True, slots=True)
class Support:
  """What a model was trained on: `ranges` of numeric features, `rates` of sub-grades in percent.

  Each holds the lowest and the highest value of the training loans.
  """

  ranges: Mapping[str, tuple[float, float]]
  rates: Mapping[str, tuple[float, float]]

  @property
  def sentences(self) -> tuple[str, ...]:
    """What is said of an application; the first, "", of one like the others."""
    unlike = (
      f"{FEATURES[name].phrase} is outside the range of the loans that the model was trained on" for name in self.ranges
    )
    return ("", _INSTALMENT, _RATE, *unlike)

  def check_columns(
    self, features: Mapping[str, FloatArray | Texts], columns: Mapping[str, FloatArray | Texts]
  ) -> IntArray:
    """Place in `sentences` of what is said; a missing value is unlike nothing."""
    found = np.zeros(len(next(_numbers(columns))), dtype="int8")
    # What is said first is written last.
    for place, (name, bounds) in reversed(list(enumerate(self.ranges.items(), start=3))):
      found[_are_outside(features[name], *bounds)] = place
    grades = columns.get("sub_grade")
    if self.rates and isinstance(grades, Texts):
      # Missing grades have the code -1, which takes the last entry.
      known = [self.rates.get(grade, _NO_BOUNDS) for grade in grades.values]
      low, high = np.array([*known, _NO_BOUNDS])[grades.codes].T
      found[_are_outside(columns["interest_rate_pct"], low, high)] = 2
    if columns.keys() >= set(TERMS):
      found[is_off({name: columns[name] for name in TERMS})] = 1  # type: ignore[misc]
    return found

  def check_one(self, features: Mapping[str, Any], columns: Mapping[str, Any]) -> int:
    """The same of one application."""
    if columns.keys() >= set(TERMS):
      amount, rate, months, instalment = (columns[name] for name in TERMS)
      if abs(instalment / emi_of_one(amount, rate, months) - 1) > CLOSE:
        return 1
    low, high = self.rates.get(columns.get("sub_grade") or "", _NO_BOUNDS)
    if "interest_rate_pct" in columns and _is_outside(columns["interest_rate_pct"], low, high):
      return 2
    for place, (name, bounds) in enumerate(self.ranges.items(), start=3):
      if _is_outside(features[name], *bounds):
        return place
    return 0


def _numbers(columns: Mapping[str, FloatArray | Texts]) -> Any:
  return (values for values in columns.values() if not isinstance(values, Texts))


def _are_outside(values: Any, low: Any, high: Any) -> Any:
  return (values < low) | (values > high)


def _is_outside(value: float, low: float, high: float) -> bool:
  return value < low or value > high
