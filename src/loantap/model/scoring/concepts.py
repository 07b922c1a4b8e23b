"""What a reason may name: features that say the same, their sentence, and what would change it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from loantap.features.definitions import FEATURES
from loantap.features.formulas import MISSING
from loantap.model.scoring.own_values import Key, OwnValue, make_own_value
from loantap.model.scoring.scorecard import Scorecard, TableEffect

_MAX_CATEGORIES = 3


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing a reason may name.

    Attributes:
        features: those that are called the same; their contributions are added up.
        own: the borrower's value that is quoted.
        describe: the reason in words, from the quoted value.
    """

    features: tuple[str, ...]
    own: OwnValue
    describe: Callable[[Key], str]


@dataclass(frozen=True, slots=True)
class _Change:
    """Values that would count in a borrower's favour: from the bound on in one direction.

    Attributes:
        bound: the first of them.
        side: -1 where they lie below, 1 above.
        last: the last value there is on that side.
    """

    bound: int | str
    side: int
    last: int | str


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
    phrase = FEATURES[names[0]].phrase
    subject = phrase[0].upper() + phrase[1:]
    categories = _name_favourable(names, scorecard)
    change = _find_change(names, own, scorecard)

    # Portfolios repeat values; formatting one takes longer than looking it up.
    @lru_cache(maxsize=65_536)
    def describe(key: Key) -> str:
        shown = "not stated" if key is None else own.show(key)
        better = categories or _say_change(change, own, key)
        return f"{subject}: {shown}" + (f"; {better} would count in favour" if better else "")

    return Concept(names, own, describe)


def _find_change(names: tuple[str, ...], own: OwnValue, scorecard: Scorecard) -> _Change | None:
    """The values that count in favour; None where more of it is neither plainly worse nor better.

    It is given only where credit sense holds one side against a borrower, and where moving the
    column behind it lowers the PD by every feature of the model that is computed from it, so that
    the reason never promises what the model would not do. More debt on the same cards, say, lowers
    nothing: the utilisation rises with it.
    """
    if not all(FEATURES[name].adverse for name in names):
        return None
    side = _risk_direction(names, own, scorecard)
    if not side:
        return None

    def strength(key: int | str) -> float:
        return sum(scorecard.effects[n].of_one(own.feature_at(n, key)) for n in names)

    scale = own.scale
    if side > 0:
        place = bisect_left(scale, 0.0, key=strength)
        return _Change(scale[place - 1], -1, scale[0]) if place else None
    place = bisect_right(scale, 0.0, key=lambda key: -strength(key))
    return _Change(scale[place], 1, scale[-1]) if place < len(scale) else None


def _risk_direction(names: tuple[str, ...], own: OwnValue, scorecard: Scorecard) -> int:
    """1 where the PD rises with the quoted value, -1 where it falls, 0 where that is not so."""
    uses = FEATURES[own.feature].uses
    if any(FEATURES[n].categorical or FEATURES[n].uses != uses for n in names):
        return 0
    directions = set()
    for name, effect in scorecard.effects.items():
        for column in set(uses) & set(FEATURES[name].uses):
            if effect.direction is None or FEATURES[name].categorical:
                return 0
            together = FEATURES[name].direction(column) * FEATURES[own.feature].direction(column)
            directions.add(effect.direction * together)
    directions.discard(0)
    return directions.pop() if len(directions) == 1 else 0


def _say_change(change: _Change | None, own: OwnValue, key: Key) -> str:
    """The values that would count in favour, in words; "" where there are none."""
    if change is None:
        return ""
    bound = change.bound
    if isinstance(key, int) and isinstance(bound, int):
        # What counts against by a hair may be rounded to a value that counts in favour.
        bound = min(bound, key - 1) if change.side < 0 else max(bound, key + 1)
    if bound == change.last:
        return own.show(bound)
    more, less = ("better", "better") if isinstance(bound, str) else ("more", "less")
    return f"{own.show(bound)} or {less if change.side < 0 else more}"


def _name_favourable(names: tuple[str, ...], scorecard: Scorecard) -> str:
    """The categories that count most in a borrower's favour; "" for a number."""
    effect = scorecard.effects[names[0]]
    if not isinstance(effect, TableEffect) or len(names) > 1:
        return ""
    # The categories that share one effect with those never seen are too few to be named.
    levels = {n: x for n, x in effect.levels.items() if x < 0 and x != effect.other}
    best = [
        n.replace("_", " ") for n in sorted(levels, key=lambda n: (levels[n], n)) if n != MISSING
    ]
    *others, last = best[:_MAX_CATEGORIES] or [""]
    return f"{', '.join(others)} or {last}" if others else last
