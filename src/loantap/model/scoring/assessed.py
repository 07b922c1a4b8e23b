"""What a scorer answers: PD, score and reasons, of one application or of many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from loantap.model.scoring.reasons import GivenReasons
from loantap.portfolio.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Scored:
    """One application, scored.

    Attributes:
        probability_of_default: None where the application is invalid.
        score: 300 to 900 points, more is better; None where it is invalid.
        reasons: four texts, empty where fewer features raise the risk; of an invalid application
            the first is what is wrong with it.
    """

    probability_of_default: float | None
    score: int | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assessed:
    """Many applications, scored.

    Attributes:
        probability_of_default: NaN where an application is invalid.
        score: 300 to 900 points, more is better; NaN where it is invalid.
        reasons: as in `Scored`.
    """

    probability_of_default: FloatArray
    score: FloatArray
    reasons: GivenReasons

    def mark_invalid(self, problems: Mapping[int, str]) -> Assessed:
        """The same without PD and score where an application cannot be scored.

        Args:
            problems: what is wrong with it, which becomes its first reason, by its place from 0.
        """
        rows = list(problems)
        sentences = tuple(dict.fromkeys((*self.reasons.sentences, *problems.values())))
        places = {sentence: place for place, sentence in enumerate(sentences)}
        codes, probability, score = (
            self.reasons.codes.copy(),
            self.probability_of_default.copy(),
            self.score.copy(),
        )
        codes[:, rows] = 0
        codes[0, rows] = [places[problem] for problem in problems.values()]
        probability[rows], score[rows] = np.nan, np.nan
        return Assessed(probability, score, GivenReasons(codes, sentences))
