import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model.leakage.additive import Gain, cross_fit
from loantap.model.leakage.arithmetic import Exceptions, check_exceptions
from loantap.model.leakage.expected import add_strengths, check_strength, expect_auc, is_score
from loantap.model.leakage.findings import FeatureFinding
from loantap.model.leakage.impact import estimate_auc
from loantap.model.leakage.readings import cross, fold_by_content, read
from loantap.model.leakage.together import examine_together
from tests.model.leakage.limits import OPTIONS
from tools.leakage.honest import simulate

LENT_ON = FEATURE_SETS["lending"].features


def test_too_few_outcomes_say_nothing():
  few = simulate(1_000, 3).head(200)
  few = few.assign(is_charged_off=(np.arange(200) < 49).astype("int8"))

  assert examine_together(few, build_features(few, LENT_ON), dict.fromkeys(LENT_ON, False), OPTIONS).sets == []


def finding(auc, error, name="open_accounts"):
  return FeatureFinding(name, 1_000, 20, auc, auc, error, ())


@pytest.mark.parametrize(
  ("auc", "error", "copies", "verdict"),
  # Expected .53, tolerated .02 more, 3.09 standard errors of .01 below the AUC; of .02 where each is there 4 times.
  [
    (0.5808, 0.01, 1, "passed"),
    (0.5810, 0.01, 1, "caught"),
    (0.5501, 0.0, 1, "caught"),
    (0.5499, 0.0, 1, "passed"),
    (0.6117, 0.01, 4, "passed"),
    (0.6119, 0.01, 4, "caught"),
  ],
)
def test_a_feature_may_exceed_what_is_expected_by_tolerance_and_chance(auc, error, copies, verdict):
  found = check_strength(finding(auc, error), copies, OPTIONS)

  assert found.verdict == verdict
  assert found.figures["auc_expected"] == 0.53
  assert found.figures["auc_at_least"] == pytest.approx(auc - 3.0902 * error * copies**0.5, abs=1e-5)


def test_a_feature_may_reach_just_what_is_expected():
  assert check_strength(finding(0.53, 0), 1, OPTIONS.model_copy(update={"strength_tolerance": 0.0})).verdict == "passed"


def test_what_is_expected_is_what_a_person_says_then_the_table_then_the_limit_of_all():
  options = OPTIONS.model_copy(update={"expected_auc": {"dti_pct": 0.72}})

  assert [expect_auc(name, options) for name in ("dti_pct", "purpose", "pincode")] == [0.72, 0.56, 0.75]
  assert [is_score(name, options) for name in ("dti_pct", "purpose", "pincode")] == [True, False, True]


def test_two_independent_scores_add_up_as_their_distances_do():
  assert add_strengths(0.72, 0.71) == pytest.approx(0.789, abs=0.001)
  assert add_strengths(0.72, 0.5) == pytest.approx(0.72)


# Of 40 exceptions, of which such borrowers would lose 10 or 30; an odds ratio of 1.2 is allowed.
@pytest.mark.parametrize(
  ("lost", "share", "verdict"),
  [
    (3, 0.25, "passed"),
    (20, 0.25, "passed"),
    (21, 0.25, "caught"),
    (40, 0.25, "caught"),
    (37, 0.75, "passed"),
    (20, 0.75, "passed"),
    (19, 0.75, "caught"),
    (0, 0.75, "caught"),
  ],
)
def test_exceptions_may_be_lost_as_often_as_such_borrowers(lost, share, verdict):
  target = np.zeros(400, dtype=np.int64)
  target[:lost] = 1
  target[40:130] = 1
  model = cross_fit({"x": read(pd.Series(np.zeros(400)), "x")}, target, [(np.arange(400), np.arange(400))])
  model = type(model)(target, np.full(400, np.log(share / (1 - share))), {}, model.fold)
  options = OPTIONS.model_copy(update={"max_odds_ratio": 1.2})

  found = check_exceptions(Exceptions("instalment", "odd", np.arange(400) < 40), model, options)

  assert found.verdict == verdict
  assert found.figures["exceptions"] == 40


def made_up(loans=6_000):
  """Outcomes of two columns alone, and of one that says nothing."""
  rng = np.random.default_rng(8)
  strong, weak, idle = rng.normal(size=(3, loans))
  target = (rng.random(loans) < expit(-1.4 + strong + 0.3 * weak)).astype(np.int64)
  readings = {n: read(pd.Series(v), n) for n, v in {"strong": strong, "weak": weak, "idle": idle}.items()}
  return readings, target, fold_by_content(readings, target, 5)


def test_what_a_column_adds_is_what_a_model_without_it_lacks():
  readings, target, folds = made_up()
  model = cross_fit(readings, target, folds)
  for name in readings:
    fewer = cross_fit({n: r for n, r in readings.items() if n != name}, target, folds)
    lacking = model.area.minus(fewer.area)
    gain = model.gain_of(name)
    assert gain.auc == pytest.approx(lacking.value, abs=0.004)
    assert gain.standard_error == pytest.approx(lacking.standard_error, rel=0.2, abs=0.001)
  assert model.gain_of("strong").at_least(3) > 0.1
  assert abs(model.gain_of("idle").auc) < 0.004


def test_a_table_of_two_columns_gains_by_what_their_sum_does_not_hold():
  rng = np.random.default_rng(9)
  one, other = rng.normal(size=(2, 6_000))
  target = (rng.random(6_000) < np.where((one > 0) == (other > 0), 0.35, 0.05)).astype(np.int64)
  readings = {n: read(pd.Series(v), n) for n, v in {"one": one, "other": other}.items()}
  model = cross_fit(readings, target, fold_by_content(readings, target, 5))
  cells = cross(readings["one"].coarse, readings["other"].coarse)

  assert len(np.unique(cells)) == 64
  assert model.surprise(cells) > 20
  assert model.gain_by(cells).at_least(3) > 0.15
  noise = rng.integers(0, 64, 6_000)
  assert abs(model.surprise(noise)) < 4
  assert model.gain_by(noise).at_least(3) < 0


def test_equal_loans_are_in_one_fold_and_folds_are_alike():
  values = pd.Series(np.tile(np.random.default_rng(2).normal(size=500), 2))
  target = np.tile(np.arange(500) % 5 == 0, 2).astype(np.int64)
  folds = fold_by_content({"x": read(values, "x")}, target, 5)
  fold = np.empty(1_000)
  for number, (inside, outside) in enumerate(folds):
    fold[outside] = number
    assert not set(inside) & set(outside)
    assert target[outside].mean() == pytest.approx(0.2, abs=0.01)

  assert (fold[:500] == fold[500:]).all()


def test_bins_hold_equal_shares_and_rare_categories_go_with_what_is_missing():
  numbers = read(pd.Series([*range(100), np.nan]), "x")
  words = read(pd.Series(["a"] * 30 + ["b"] * 19 + [None]), "y")

  assert np.bincount(numbers.codes).tolist() == [10] * 10 + [1]
  assert numbers.is_missing.tolist() == [0] * 100 + [1]
  assert len(np.unique(numbers.coarse)) == 9
  assert words.labels == ("a", "missing")
  assert np.bincount(words.codes).tolist() == [30, 20]


def test_bounds_lie_standard_errors_to_either_side():
  gain = Gain(0.05, 0.01)

  assert (gain.at_least(2), gain.at_most(2)) == (pytest.approx(0.03), pytest.approx(0.07))
  assert estimate_auc(np.array([0, 1, 0, 1]), np.array([0.1, 0.3, 0.3, 0.9])).value == 0.875
