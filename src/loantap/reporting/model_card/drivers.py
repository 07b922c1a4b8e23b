"""What drives the PD of a model, ranked."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from loantap.reporting.figures.interval_plot import Axis, make_ratio_axis
from loantap.reporting.formatting import capitalize_first

_TOP: Final = 12
# A category that separates the outcomes has no finite odds ratio; where the solver stopped says nothing.
_FURTHEST_RATIO: Final = 10_000.0
_RARE: Final = "infrequent_sklearn"


@dataclass(frozen=True, slots=True)
class Driver:
  """One input of a model, or one feature of a scorecard, in words.

  `at` is the position of the odds ratio in per cent of the plot's width. `side` is `above` where it raises the risk,
  `below` where it lowers it, `near` where it does neither, or now one and now the other.
  """

  name: str
  label: str
  coefficient: str
  odds_ratio: str
  at: float
  side: str


@dataclass(frozen=True, slots=True)
class DriverChart:
  """The drivers of one model, furthest from 1 (drawn at `one`) first, and what has no effect.

  Where `is_of_scorecard`, a ratio lies between a feature's riskiest and safest attribute; otherwise it is that of a
  coefficient.
  """

  axis: Axis
  one: float
  drivers: Sequence[Driver]
  idle: Sequence[str]
  idle_features: Sequence[str]
  is_of_scorecard: bool = False

  @property
  def top(self) -> Sequence[Driver]:
    """Those that are drawn."""
    return self.drivers[:_TOP]


def rank_coefficients(coefficients: pd.DataFrame, phrases: Mapping[str, str]) -> DriverChart:
  """The coefficients of a model, one row per input, by their size; `phrases` words each feature."""
  ranked = coefficients.sort_values("coefficient", key=abs, ascending=False, kind="stable")
  moving, idle = ranked[ranked["coefficient"].ne(0)], ranked[ranked["coefficient"].eq(0)]
  axis = _make_axis(moving["odds_ratio"].head(_TOP).tolist())
  labels = _name_inputs(moving["feature"].tolist(), phrases)
  drivers = [
    Driver(
      name=str(name),
      label=labels[name],
      coefficient=f"{coefficient:+.3f}",
      odds_ratio=_word_ratio(ratio),
      at=axis.place(ratio),
      side="above" if coefficient > 0 else "below",
    )
    for name, coefficient, ratio in moving[["feature", "coefficient", "odds_ratio"]].itertuples(index=False, name=None)
  ]
  used = {_find_feature(name, phrases) for name in moving["feature"]}
  unused = dict.fromkeys(_find_feature(name, phrases) for name in idle["feature"])
  said = {phrases.get(feature, feature) for feature in used}
  idle_features = dict.fromkeys(phrases.get(name, name) for name in unused if name not in used)
  return DriverChart(
    axis,
    axis.place(1),
    drivers,
    [str(name) for name in idle["feature"]],
    [phrase for phrase in idle_features if phrase not in said],
  )


def rank_scorecard(scorecard: Mapping[str, Any]) -> DriverChart:
  """The features of a scorecard by the odds between their riskiest and safest attribute."""
  to_double = scorecard["scale"]["points_to_double"]
  ratios = {
    feature["feature"]: 2 ** ((feature["most"] - feature["fewest"]) / to_double) for feature in scorecard["features"]
  }
  axis = _make_axis(list(ratios.values())[:_TOP])
  phrases = {feature["feature"]: feature["phrase"] for feature in scorecard["features"]}
  labels = _name_inputs(list(ratios), phrases)
  drivers = [
    Driver(name, labels[name], "", _word_ratio(ratio), axis.place(ratio), "near") for name, ratio in ratios.items()
  ]
  return DriverChart(axis, axis.place(1), drivers, [], [], is_of_scorecard=True)


def _make_axis(ratios: Sequence[float]) -> Axis:
  return make_ratio_axis([min(max(r, 1 / _FURTHEST_RATIO), _FURTHEST_RATIO) for r in ratios])


def _name_inputs(names: Sequence[str], phrases: Mapping[str, str]) -> dict[str, str]:
  said = {name: _say(name, phrases) for name in names}
  times = Counter(said.values())
  return {
    name: f"{words} (logarithm)" if times[words] > 1 and name.startswith("log_") else words
    for name, words in said.items()
  }


def _say(name: str, phrases: Mapping[str, str]) -> str:
  feature = _find_feature(name, phrases)
  words = capitalize_first(phrases.get(feature, feature).removeprefix("the "))
  if feature == name:
    return words
  category = name.removeprefix(f"{feature}_")
  return f"{words}: {'a rare one' if category == _RARE else category.replace('_', ' ')}"


def _find_feature(name: str, phrases: Mapping[str, str]) -> str:
  if name in phrases:
    return name
  owners = [feature for feature in phrases if name.startswith(f"{feature}_")]
  return max(owners, key=len, default=name)


def _word_ratio(ratio: float) -> str:
  if ratio > _FURTHEST_RATIO:
    return f"over {_FURTHEST_RATIO:,.0f}"
  return f"{ratio:.3g}" if ratio < 0.1 else f"{ratio:.2f}"
