import json

import numpy as np
import pytest

from loantap.surveillance.hazard.design import look_ahead
from loantap.surveillance.hazard.evaluation import defaults_within, is_default_known, judge_hazard
from loantap.surveillance.hazard.fit import fit_hazard, split_loans
from tests.surveillance.hazard.world import DEFAULTS, OPTIONS, PAYMENTS, cumulate, make_outcomes, make_panel

NONE = np.nan


def test_a_default_is_known_once_the_window_has_closed_or_the_loan_has_ended():
  landmarks = make_panel(list("abcde"), [2] * 5)
  outcomes = make_outcomes(list("abcde"), [5, 6, NONE, NONE, NONE], [NONE, NONE, 3, NONE, NONE], [9, 9, 3, 5, 4])
  ahead = look_ahead(landmarks, outcomes)
  assert defaults_within(ahead, 3).tolist() == [1, 0, 0, 0, 0]
  assert is_default_known(ahead, 3).tolist() == [True, True, True, True, False]


@pytest.fixture(scope="module")
def figures(fitted, known_world):
  return judge_hazard(fitted, *known_world, OPTIONS)


def test_a_right_model_is_found_calibrated(figures):
  found = figures["drawn_month"]["12"]
  # Those in danger leave sooner, so that the others are ever more.
  low, high = (cumulate(factor * DEFAULTS, PAYMENTS, 12) for factor in (0.5, 1.5))
  assert low < found["default_rate"] < (low + high) / 2
  assert found["default_rate_low"] < found["mean_pd"] < found["default_rate_high"]
  assert found["ece"] < found["ece_perfect_high"] * 1.2
  assert found["roc_auc_low"] > 0.5
  assert sum(row["loans"] for row in found["deciles"]) == found["loans"]
  json.dumps(figures, allow_nan=False)


def test_only_loans_of_the_test_are_judged_each_once(figures, known_world):
  panel, outcomes = known_world
  _, is_test = split_loans(outcomes["loan_id"], OPTIONS)
  assert 100 < figures["drawn_month"]["12"]["loans"] < is_test.sum()
  alive = panel[panel["month"].eq("2018-01-01") & panel["days_past_due"].eq(0)]
  _, is_test = split_loans(alive["loan_id"], OPTIONS)
  assert figures["by_landmark"]["2018-01"]["loans"] == is_test.sum()


def test_months_whose_year_has_not_passed_are_not_judged(figures, fitted, known_world):
  panel, outcomes = known_world
  early = panel[panel["month"] <= "2018-01-01"]
  assert judge_hazard(fitted, early, outcomes, OPTIONS)["drawn_month"]["12"] == (figures["drawn_month"]["12"])


def test_a_model_that_is_wrong_by_half_is_found_out(fitted, known_world):
  doubled = fitted.model_copy(
    update={
      "bands": tuple(
        b.model_copy(update={"shift": b.shift + np.log(2)}) if b.cause == "default" else b for b in fitted.bands
      )
    }
  )
  found = judge_hazard(doubled, *known_world, OPTIONS)["drawn_month"]["12"]
  assert found["ece"] > found["ece_perfect_high"]
  assert fit_hazard(*known_world, OPTIONS) == fitted
