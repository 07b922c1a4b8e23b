"""The strongest adverse contributions to a PD, in plain words."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from loantap.features.definitions import FEATURES
from loantap.model.scoring.points import Key, OwnValue, make_own_value
from loantap.model.scoring.scorecard import Scorecard
from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.portfolio.column_reading import Texts

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


REASON_COUNT = 4
REASONS = tuple(f"reason_{number}" for number in range(1, REASON_COUNT + 1))
# A contribution below this moves the PD by less than a tenth of a percentage point.
_MIN_CONTRIBUTION = 0.01
_NO_REASON = ("",) * REASON_COUNT

Choices = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class GivenReasons:
	"""The reasons of many applications, each distinct sentence held once, the first being "".

	`codes` are places in `sentences`: one row per reason, one column per application.
	"""

	codes: Choices
	sentences: tuple[str, ...]

	def as_text(self, index: pd.Index) -> pd.DataFrame:
		"""Columns `reason_1`..`reason_4`, text."""
		texts = pd.array(list(self.sentences), dtype="str")
		return pd.DataFrame(
			{name: pd.Series(texts.take(codes), index=index) for name, codes in zip(REASONS, self.codes, strict=True)}
		)


@dataclass(frozen=True, slots=True)
class ReasonGiver:
	"""Gives the reasons of one model.

	Features that say the same (a number and its logarithm) count as one; what credit sense favours (`senseless`) is
	none.
	"""

	concepts: tuple[Concept, ...]
	senseless: frozenset[str]

	def give(self, contributed: Mapping[str, FloatArray], columns: Mapping[str, FloatArray | Texts]) -> GivenReasons:
		"""The four strongest adverse reasons of each application, from its contributions."""
		strength = [self._add_up(concept, contributed) for concept in self.concepts]
		codes = np.zeros((REASON_COUNT, len(strength[0])), dtype="int32")
		vocabulary = {"": 0}
		for concept, adverse, rank in zip(self.concepts, strength, _rank(strength), strict=True):
			rows = np.flatnonzero((rank < REASON_COUNT) & (adverse >= _MIN_CONTRIBUTION))
			own = concept.own.take_column(columns, rows)
			local, keys = concept.own.round_column(own)
			table = np.zeros(len(keys), dtype="int32")
			for place in np.unique(local) if isinstance(own, Texts) else range(-1, len(keys) - 1):
				sentence = concept.describe(keys[place])
				table[place] = vocabulary.setdefault(sentence, len(vocabulary))
			codes[rank[rows], rows] = table[local]
		return GivenReasons(codes, tuple(vocabulary))

	def give_one(self, contributed: Mapping[str, float], columns: Mapping[str, float | str | None]) -> tuple[str, ...]:
		"""The four strongest adverse reasons of one application."""
		strength = [self._add_up_one(concept, contributed) for concept in self.concepts]
		order = sorted(range(len(strength)), key=strength.__getitem__, reverse=True)
		sentences = []
		for number in order[:REASON_COUNT]:
			if strength[number] < _MIN_CONTRIBUTION:
				break
			own = self.concepts[number].own
			sentences.append(self.concepts[number].describe(own.round_one(own.take_one(columns))))
		return (*sentences, *_NO_REASON[len(sentences) :])

	def _add_up(self, concept: Concept, contributed: Mapping[str, FloatArray]) -> FloatArray:
		parts = (np.minimum(contributed[n], 0) if n in self.senseless else contributed[n] for n in concept.features)
		return sum(parts, np.zeros(()))

	def _add_up_one(self, concept: Concept, contributed: Mapping[str, float]) -> float:
		together = 0.0
		for name in concept.features:
			effect = contributed[name]
			together += min(effect, 0.0) if name in self.senseless else effect
		return together


def make_reason_giver(scorecard: Scorecard) -> ReasonGiver:
	"""The `ReasonGiver` of a model."""
	senseless = (n for n in scorecard.effects if contradicts_credit_sense(n, scorecard))
	return ReasonGiver(list_concepts(scorecard), frozenset(senseless))


def _rank(strength: Sequence[FloatArray]) -> Choices:
	"""How many concepts are stronger than each, per application; the first wins a tie."""
	rank = np.zeros((len(strength), len(strength[0])), dtype="int8")
	for first, second in combinations(range(len(strength)), 2):
		is_weaker = strength[first] < strength[second]
		rank[first] += is_weaker
		rank[second] += ~is_weaker
	return rank
