"""Why a PD is what it is: the strongest adverse contributions, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from loantap.model.scoring.concepts import Concept, contradicts_credit_sense, list_concepts
from loantap.model.scoring.scorecard import Scorecard
from loantap.portfolio.arrays import FloatArray
from loantap.portfolio.loantap_format import Texts

REASON_COUNT = 4
REASONS = tuple(f"reason_{number}" for number in range(1, REASON_COUNT + 1))
# A contribution below this moves the PD by less than a tenth of a percentage point.
_MIN_CONTRIBUTION = 0.01
_NO_REASON = ("",) * REASON_COUNT

Choices = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class GivenReasons:
    """The reasons of many applications, each distinct sentence held once.

    Attributes:
        codes: place of each reason in `sentences`; one row per reason, one column per application.
        sentences: the first is "", for no reason.
    """

    codes: Choices
    sentences: tuple[str, ...]

    def as_text(self, index: pd.Index) -> pd.DataFrame:
        """Columns `reason_1`..`reason_4`, text."""
        texts = pd.array(list(self.sentences), dtype="str")
        return pd.DataFrame(
            {name: pd.Series(texts.take(codes), index=index)
             for name, codes in zip(REASONS, self.codes, strict=True)}
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReasonGiver:
    """Gives the reasons of one model.

    Features that say the same (a number and its logarithm) count as one reason. A contribution
    against a borrower from the side that credit sense holds in their favour is never a reason.

    Attributes:
        concepts: what a reason may name.
        senseless: features the model holds against the wrong borrowers.
    """

    concepts: tuple[Concept, ...]
    senseless: frozenset[str]

    def give(
        self,
        contributed: Mapping[str, FloatArray],
        columns: Mapping[str, FloatArray | Texts],
    ) -> GivenReasons:
        """The four strongest adverse reasons of many applications.

        Args:
            contributed: contribution of each feature to the log-odds, one per application.
            columns: typed canonical columns, for the borrowers' own values.
        """
        strength = np.array([self._add_up(concept, contributed) for concept in self.concepts])
        chosen = _choose(strength)
        codes = np.zeros(chosen.size, dtype="int32")
        vocabulary = {"": 0}
        for concept, places in zip(self.concepts, _group(chosen, len(self.concepts)), strict=True):
            own = concept.own.take_column(columns, places % strength.shape[1])
            local, keys = concept.own.round_column(own)
            table = np.zeros(len(keys), dtype="int32")
            for place in np.unique(local) if isinstance(own, Texts) else range(-1, len(keys) - 1):
                sentence = concept.describe(keys[place])
                table[place] = vocabulary.setdefault(sentence, len(vocabulary))
            codes[places] = table[local]
        return GivenReasons(codes.reshape(REASON_COUNT, -1), tuple(vocabulary))

    def give_one(
        self, contributed: Mapping[str, float], columns: Mapping[str, float | str | None]
    ) -> tuple[str, ...]:
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
        parts = (
            np.minimum(contributed[n], 0) if n in self.senseless else contributed[n]
            for n in concept.features
        )
        return sum(parts, np.zeros(()))

    def _add_up_one(self, concept: Concept, contributed: Mapping[str, float]) -> float:
        return sum(
            min(contributed[n], 0.0) if n in self.senseless else contributed[n]
            for n in concept.features
        )


def make_reason_giver(scorecard: Scorecard) -> ReasonGiver:
    """What gives the reasons of a model."""
    senseless = (n for n in scorecard.effects if contradicts_credit_sense(n, scorecard))
    return ReasonGiver(list_concepts(scorecard), frozenset(senseless))


def _choose(strength: FloatArray) -> Choices:
    """The strongest concepts of each application, -1 where too weak; the first wins a tie.

    Takes one row per concept, one column per application. Gives all first choices, then all second
    ones, and so on.
    """
    # A positive double sorts like its bits. The last of them, a few parts in 10^15, make room for
    # the concept's number, so that minima and maxima carry it along: ten times faster than argmax.
    mask = (1 << len(strength).bit_length()) - 1
    packed = (strength.view("int64") & ~mask) | (mask - np.arange(len(strength)))[:, None]
    best = np.zeros((REASON_COUNT, strength.shape[1]), dtype="int64")
    for challenger in packed:
        for holder in best:
            weaker = np.minimum(holder, challenger)
            np.maximum(holder, challenger, out=holder)
            challenger = weaker  # noqa: PLW2901 - who loses a place fights for the next
    least = np.array(_MIN_CONTRIBUTION).view("int64") & ~mask
    return np.where(best >= least, mask - (best & mask), -1).astype("int8").reshape(-1)


def _group(chosen: Choices, concepts: int) -> Sequence[Choices]:
    """Where each concept was chosen."""
    order = np.argsort(chosen, kind="stable")
    return np.split(order, np.searchsorted(chosen[order], np.arange(concepts + 1)))[1:-1]
