import numpy as np
import pytest

from loantap.policy.comparison.portfolio import Lesson
from loantap.policy.comparison.profit_score import prepare_features, score_profits
from tests.policy.comparison.loans import make_portfolio, make_values

# Past loans returned .1 more than their PD said where the feature is 1, and .1 less where it is -1.
FEATURE = np.array([[1.0], [-1.0], [1.0], [-1.0], [1.0], [-1.0]])
MARGIN = np.array([0.2, 0.2, 0.1, 0.1, 0.05, 0.05])
LESSON = Lesson(np.arange(4), np.arange(4, 6))
PRINCIPAL = np.full(6, 1_000.0)


def values():
  beyond = 0.1 * FEATURE[:, 0]
  return make_values([0.1] * 6, MARGIN.tolist(), (PRINCIPAL * (MARGIN + beyond)).tolist())


# Ridge of four loans at a penalty of 4: the coefficient is .4 / (4 + 4) = .05.
def test_it_adds_to_the_npv_of_the_pd_what_the_features_explain_beyond_it():
  scores = score_profits(FEATURE, PRINCIPAL, {"mid": values()}, [LESSON], 4.0)

  assert scores["mid"][4:] == pytest.approx([0.1, 0.0])


def test_where_nothing_can_be_learnt_it_is_the_npv_of_the_pd():
  nothing = Lesson(np.arange(0), np.arange(6))

  scores = score_profits(FEATURE, PRINCIPAL, {"mid": values()}, [nothing], 4.0)

  assert scores["mid"] == pytest.approx(MARGIN)


def test_each_scenario_is_learnt_for_itself():
  other = values()
  both = {"mid": other, "hard": make_values([0.1] * 6, MARGIN.tolist(), (PRINCIPAL * MARGIN))}

  scores = score_profits(FEATURE, PRINCIPAL, both, [LESSON], 4.0)

  assert scores["mid"][4:] == pytest.approx([0.1, 0.0])
  assert scores["hard"][4:] == pytest.approx([0.05, 0.05])


def test_features_are_prepared_without_looking_at_outcomes():
  _, loans, _ = make_portfolio(100)

  prepared = prepare_features(loans)

  assert prepared.shape[0] == 100
  assert not np.isnan(prepared).any()
  flipped = loans.assign(is_charged_off=1 - loans["is_charged_off"])
  assert np.array_equal(prepare_features(flipped), prepared)
