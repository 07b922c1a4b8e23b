"""The strongest adverse contributions to a PD, in plain words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from loantap.model.scoring.reason_texts import Concept, contradicts_credit_sense, list_concepts
from loantap.model.scoring.scorecard import Scorecard
from loantap.portfolio.arrays import FloatArray
from loantap.portfolio.column_reading import Texts

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

    Features that say the same (a number and its logarithm) count as one reason. What credit sense
    holds in a borrower's favour (`senseless`) is never a reason.
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
