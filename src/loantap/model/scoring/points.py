"""The scorecard as a table: points of each attribute."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from loantap.features.definitions import FEATURES
from loantap.model.scoring.own_values import BOUNDLESS, OwnValue, make_own_value
from loantap.model.scoring.scorecard import SCALE, Effect, LinearEffect, Scorecard, ScoreScale, StepEffect, TableEffect
from loantap.portfolio.dictionary import COLUMNS

BASE = "base points"
_BANDS = 5
_COLUMNS = ("feature", "attribute", "low", "high", "anchor", "points", "points_per_unit")

Row = tuple[Any, ...]


def tabulate_points(scorecard: Scorecard, features: pd.DataFrame, scale: ScoreScale = SCALE) -> pd.DataFrame:
  """Points of every attribute; `features` give the bands of numbers.

  Returns:
      One row per attribute of each feature that has an effect: `feature` (`base points` for those every loan starts
      from), `attribute` in words, `low` and `high` of a band of numbers (above `low`, up to `high`, in units of the
      feature; missing for texts), `points` at its `anchor`, and `points_per_unit` that the feature lies above it.
      Their sum is the score before it is rounded and kept within limits.
  """
  rows: list[Row] = [(BASE, "the mean loan", np.nan, np.nan, np.nan, scale.exact(scorecard.base), 0.0)]
  for name, effect in scorecard.effects.items():
    if effect.direction == 0:
      continue
    for attribute, low, high, anchor, effect_there, slope in _list_attributes(name, effect, features[name]):
      points = (-scale.factor * effect_there, -scale.factor * slope)
      rows.append((name, attribute, low, high, anchor, *points))
  table = pd.DataFrame(rows, columns=list(_COLUMNS))
  return table.astype({"feature": "str", "attribute": "str"})


def _list_attributes(name: str, effect: Effect, values: pd.Series) -> Iterator[Row]:
  match effect:
    case TableEffect(levels, other):
      for category, level in levels.items():
        yield category.replace("_", " "), np.nan, np.nan, np.nan, level, 0.0
      yield "any other", np.nan, np.nan, np.nan, other, 0.0
      return
    case LinearEffect(slope):
      edges = _find_edges(name, values)
      for low, high in pairwise([-np.inf, *edges, np.inf]):
        anchor = low if np.isfinite(low) else high
        yield _say_band(name, low, high), low, high, anchor, effect.of_one(anchor), slope
    case StepEffect(steps, levels):
      for (low, high), level in zip(pairwise([-np.inf, *steps, np.inf]), levels, strict=True):
        anchor = low if np.isfinite(low) else high
        yield _say_band(name, low, high), low, high, anchor, level, 0.0
  if values.isna().any() or any(COLUMNS[used].nullable for used in FEATURES[name].uses):
    yield "not stated", np.nan, np.nan, np.nan, effect.of_one(np.nan), 0.0


def _find_edges(name: str, values: pd.Series) -> list[float]:
  """Quantiles below the largest value, on values as they are shown, rising, each once."""
  own = make_own_value(name)
  shares = np.arange(1, _BANDS) / _BANDS
  wanted = values.quantile(shares, interpolation="lower").dropna().unique()
  edges = {_feature_at(own, _key_at(own, edge)) for edge in wanted if edge < values.max()}
  return sorted(edges) or [0.0]


def _key_at(own: OwnValue, edge: float) -> Any:
  scale = own.listed or range(BOUNDLESS)
  place = bisect_right(scale, edge + 1e-9, key=lambda key: _feature_at(own, key))
  return scale[max(place - 1, 0)]


def _feature_at(own: OwnValue, key: int | str) -> float:
  return float(own.feature_at(own.feature, key))


def _say_band(name: str, low: float, high: float) -> str:
  own = make_own_value(name)
  above = own.show(_key_at(own, low)) if np.isfinite(low) else ""
  up_to = own.show(_key_at(own, high)) if np.isfinite(high) else ""
  if not above and not up_to:
    return f"any value of {FEATURES[name].phrase}"
  if not above:
    return f"up to {up_to}"
  return f"over {above}, up to {up_to}" if up_to else f"over {above}"
