"""What a scorer answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from loantap.model.scoring.reasons import GivenReasons
from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.portfolio.column_reading import Texts


@dataclass(frozen=True, slots=True)
class Scored:
  """One application, scored.

  Attributes:
      probability_of_default: None where the application is invalid.
      score: 300 to 900 points, more is better; None where it is invalid.
      reasons: four texts, empty where fewer features raise the risk; of an invalid application
          the first is what is wrong with it.
      unlike: place in `Support.sentences`; 0 where it is like the loans of the training.
      columns: typed values by canonical name.
  """

  probability_of_default: float | None
  score: int | None
  reasons: tuple[str, ...]
  unlike: int
  columns: Mapping[str, float | str | None]


@dataclass(frozen=True, slots=True)
class Assessed:
  """Many applications, scored, as in `Scored`.

  PD and score are NaN where an application is invalid; `unlike` then means nothing.
  """

  probability_of_default: FloatArray
  score: FloatArray
  reasons: GivenReasons
  unlike: IntArray
  columns: Mapping[str, FloatArray | Texts]

  def mark_invalid(self, problems: Mapping[int, str]) -> Assessed:
    """The same without PD and score at the places (from 0) of `problems`, the first reasons."""
    rows = list(problems)
    sentences = tuple(dict.fromkeys((*self.reasons.sentences, *problems.values())))
    places = {sentence: place for place, sentence in enumerate(sentences)}
    codes, probability, score = (self.reasons.codes.copy(), self.probability_of_default.copy(), self.score.copy())
    codes[:, rows] = 0
    codes[0, rows] = [places[problem] for problem in problems.values()]
    probability[rows], score[rows] = np.nan, np.nan
    reasons = GivenReasons(codes, sentences)
    return Assessed(probability, score, reasons, self.unlike, self.columns)
