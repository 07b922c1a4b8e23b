"""A score that learns what loans return directly, not whether they default.

Serrano-Cinca and Gutierrez-Nieto (Decision Support Systems 2016) and Lyocsa et al. (Financial Innovation 2022) select
loans by predicted return. Here the return is imputed: given rate and term, its expectation is linear in the PD, so that
a good PD leaves nothing to learn. The score adds to the NPV of the PD what a ridge regression finds in the features.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model.training.estimator import make_preprocessor
from loantap.policy.comparison.portfolio import Lesson, LoanValues
from loantap.portfolio.arrays import FloatArray

_FEATURES = FEATURE_SETS["lending"]


def prepare_features(loans: pd.DataFrame) -> FloatArray:
  """The features of `lending`, imputed, scaled and one-hot encoded, one row per loan."""
  features = build_features(loans, list(_FEATURES.features))
  prepared: FloatArray = make_preprocessor(_FEATURES).fit_transform(features)
  return np.asarray(prepared, dtype=float)


def score_profits(
  features: FloatArray, principal: FloatArray, values: Mapping[str, LoanValues], lessons: list[Lesson], penalty: float
) -> dict[str, FloatArray]:
  """Predicted NPV per unit of principal of each loan in each scenario.

  Learnt on the loans of the lesson: what they returned beyond the NPV of their PD. `principal` is in currency,
  `penalty` in loans.
  """
  margins = np.column_stack([of_scenario.margin for of_scenario in values.values()])
  returns = np.column_stack([v.realised / principal for v in values.values()])
  scores = margins.copy()
  for lesson in lessons:
    if not len(lesson.past):
      continue
    beyond = returns[lesson.past] - margins[lesson.past]
    model = Ridge(penalty, solver="cholesky").fit(features[lesson.past], beyond)
    # A single scenario comes back without its axis.
    learnt = model.predict(features[lesson.decided]).reshape(len(lesson.decided), -1)
    scores[lesson.decided] += learnt
  return dict(zip(values, scores.T, strict=True))
