import math

import pytest

from loantap.reporting.model_card.drivers import rank_coefficients, rank_scorecard
from tests.reporting.card_material import make_coefficients, make_scorecard

PHRASES = {
  "sub_grade_rank": "the grade given to the offer",
  "log_sub_grade_rank": "the grade given to the offer",
  "log_annual_income": "the yearly income",
  "purpose": "the purpose of the loan",
  "home": "the home",
  "home_ownership": "the housing situation",
  "bankruptcies": "recorded bankruptcies",
}


def test_the_furthest_from_one_comes_first_and_says_which_way_it_goes():
  chart = rank_coefficients(make_coefficients({"bankruptcies": 0.1, "log_annual_income": -math.log(2)}), PHRASES)

  assert [driver.label for driver in chart.drivers] == ["Yearly income", "Recorded bankruptcies"]
  assert [driver.odds_ratio for driver in chart.drivers] == ["0.50", "1.11"]
  assert [driver.side for driver in chart.drivers] == ["below", "above"]
  assert (chart.drivers[0].at, chart.one) == (0, 50)
  assert [driver.coefficient for driver in chart.drivers] == ["-0.693", "+0.100"]


def test_what_has_no_effect_is_left_out_of_the_drivers_and_named():
  effects = {
    "sub_grade_rank": 0.3,
    "log_sub_grade_rank": 0.0,
    "bankruptcies": 0.0,
    "purpose_car": 0.0,
    "purpose_house": 0.0,
    "home_OWN": 0.2,
    "home_RENT": 0.0,
  }
  chart = rank_coefficients(make_coefficients(effects), PHRASES)

  assert [driver.name for driver in chart.drivers] == ["sub_grade_rank", "home_OWN"]
  assert chart.idle == [name for name, effect in effects.items() if not effect]
  # The grade has an effect, by its rank, and the home, by one of its categories.
  assert chart.idle_features == ["recorded bankruptcies", "the purpose of the loan"]


@pytest.mark.parametrize(
  ("name", "label"),
  [
    ("purpose_small_business", "Purpose of the loan: small business"),
    ("purpose_infrequent_sklearn", "Purpose of the loan: a rare one"),
    ("home_ownership_RENT", "Housing situation: RENT"),
    ("never_heard_of", "Never_heard_of"),
  ],
)
def test_inputs_are_called_what_borrowers_call_them(name, label):
  (driver,) = rank_coefficients(make_coefficients({name: 0.2}), PHRASES).drivers

  assert driver.label == label


def test_a_number_and_its_logarithm_are_told_apart():
  chart = rank_coefficients(make_coefficients({"sub_grade_rank": 0.3, "log_sub_grade_rank": 0.2}), PHRASES)

  assert [driver.label for driver in chart.drivers] == [
    "Grade given to the offer",
    "Grade given to the offer (logarithm)",
  ]


def test_a_ratio_without_end_is_bounded_and_drawn_at_the_end():
  (driver,) = rank_coefficients(make_coefficients({"bankruptcies": 20.0}), PHRASES).drivers

  assert (driver.odds_ratio, driver.at) == ("over 10,000", 100)


def test_a_scorecard_is_ranked_by_the_odds_between_its_riskiest_and_safest_attribute():
  scorecard = make_scorecard()
  feature = scorecard["features"][0] | {"fewest": -40.0, "most": 10.0}

  (driver,) = rank_scorecard(scorecard | {"features": [feature]}).drivers

  # 50 points double the odds.
  assert (driver.odds_ratio, driver.side) == ("2.00", "near")
  assert driver.label == "Debt payments as a share of income"
