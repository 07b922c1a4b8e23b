"""The text of a reason; the words for a feature are in `features/definitions.py`."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from loantap.features.definitions import FEATURES
from loantap.model.scoring.own_values import Key, OwnValue, make_own_value
from loantap.model.scoring.scorecard import Scorecard
from loantap.portfolio.arrays import IntArray

# What a borrower may be asked for, in the smallest steps shown: at most three digits, not nought.
_ASKED: IntArray = np.unique(np.outer(10 ** np.arange(9), np.arange(1, 1_000)))


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing a reason may name: features called the same, whose contributions add up."""

    features: tuple[str, ...]
    own: OwnValue
    describe: Callable[[Key], str]


def list_concepts(scorecard: Scorecard) -> tuple[Concept, ...]:
    """What the reasons of a model may name, in the order of its features."""
    groups: dict[str, list[str]] = {}
    for name in scorecard.effects:
        groups.setdefault(FEATURES[name].phrase, []).append(name)
    return tuple(_make_concept(tuple(names), scorecard) for names in groups.values())


def contradicts_credit_sense(name: str, scorecard: Scorecard) -> bool:
    """Whether the model holds against a borrower what credit sense holds in their favour."""
    adverse, direction = FEATURES[name].adverse, scorecard.effects[name].direction
    wanted = {"high": (0, 1), "low": (0, -1)}
    return bool(adverse) and direction not in wanted[adverse]


def _make_concept(names: tuple[str, ...], scorecard: Scorecard) -> Concept:
    own = make_own_value(names[0])
    feature = FEATURES[names[0]]
    subject = feature.phrase[0].upper() + feature.phrase[1:]
    # With the risk rising, what counts in favour lies below.
    side = -_risk_direction(names, own, scorecard) if feature.remedy else 0
    favourable = _list_favourable(names, own, scorecard) if side else []

    # Portfolios repeat values; formatting one takes longer than looking it up.
    @lru_cache(maxsize=65_536)
    def describe(key: Key) -> str:
        shown = "not stated" if key is None else own.show(key)
        asked = _say_nearest(favourable, side, own, key)
        # Nobody can be told to pay down what they have not stated.
        remedy = asked if key is None else feature.remedy.format(asked)
        return f"{subject}: {shown}" + (f"; {remedy} would count in favour" if asked else "")

    return Concept(names, own, describe)


def _risk_direction(names: tuple[str, ...], own: OwnValue, scorecard: Scorecard) -> int:
    """1 where the PD rises with the quoted value, -1 where it falls, 0 where that is not so.

    Every feature computed from a column behind the value has its say, so that a reason never promises what the model
    would not do: more debt on the same cards lowers nothing, since the utilisation rises with it.
    """
    quoted = FEATURES[own.feature]
    if any(FEATURES[n].categorical or FEATURES[n].uses != quoted.uses for n in names):
        return 0
    directions = set()
    for name, effect in scorecard.effects.items():
        for column in set(quoted.uses) & set(FEATURES[name].uses):
            if effect.direction is None or FEATURES[name].categorical:
                return 0
            together = FEATURES[name].direction(column) * quoted.direction(column)
            directions.add(effect.direction * together)
    directions.discard(0)
    return directions.pop() if len(directions) == 1 else 0


def _list_favourable(names: tuple[str, ...], own: OwnValue, scorecard: Scorecard) -> list[int]:
    asked = np.array(own.listed) if own.listed else _ASKED
    effects = [scorecard.effects[n].of_column(own.features_at(n, asked)) for n in names]
    is_favourable = np.sum(effects, axis=0) < 0
    return [int(value) for value in asked[is_favourable]]


def _say_nearest(favourable: list[int], side: int, own: OwnValue, key: Key) -> str:
    """The favourable values on the good side of a borrower's own; "" where there are none."""
    place = 0 if side > 0 else len(favourable) - 1
    # What counts against by a hair may be shown as a value that counts in favour.
    if isinstance(key, int):
        place = bisect_right(favourable, key) if side > 0 else bisect_left(favourable, key) - 1
    if not 0 <= place < len(favourable):
        return ""
    nearest = favourable[place]
    # Of a few values, such as the terms, the last has none beyond it.
    ends = own.listed[:1] if side < 0 else own.listed[-1:]
    more = "" if nearest in ends else " or more" if side > 0 else " or less"
    return own.show(nearest) + more
