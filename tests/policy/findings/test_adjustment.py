import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime, minimize

from loantap.policy.findings.adjustment import Regression


def regress(outcome, **factors):
  segments = pd.DataFrame(factors).astype("category")
  return Regression(segments, np.asarray(outcome, dtype=float))


def draw(loans, seed, effect):
  """Two factors that go together; only the first has an effect."""
  rng = np.random.default_rng(seed)
  first = rng.integers(0, 3, loans)
  second = np.where(rng.random(loans) < 0.6, first % 2, rng.integers(0, 2, loans))
  log_odds = -1.2 + effect * (first == 1)
  outcome = (rng.random(loans) < 1 / (1 + np.exp(-log_odds))).astype(float)
  return regress(outcome, first=list(np.array(list("abc"))[first]), second=list(np.array(list("xy"))[second]))


def test_fewer_charge_offs_than_expected_take_the_error_of_no_effect():
  # 2 of 100 and 98 of 300: if there were no effect, the first would vary as at a rate of 25%.
  outcome = [1] * 2 + [0] * 98 + [1] * 98 + [0] * 202
  factor = regress(outcome, grade=["A"] * 100 + ["B"] * 300).adjust(["grade"])["grade"]

  _, error = factor.compare([0])

  expected = 0.25 * 0.75 / 100 + (98 / 300) * (202 / 300) / 300
  assert error == pytest.approx(np.sqrt(expected), rel=0.01)
  assert factor.compare([1])[1] == pytest.approx(error)


def test_rates_and_errors_are_those_of_a_reference():
  regression = draw(900, 3, 0.9)
  dummies = pd.get_dummies(regression.segments, drop_first=True).to_numpy(float)
  design = np.column_stack([np.ones(900), dummies])
  outcome = regression.outcome

  def loss(b):
    odds = design @ b
    return float(np.logaddexp(0, odds).sum() - outcome @ odds + 0.005 * b[1:] @ b[1:])

  best = minimize(loss, np.zeros(4), tol=1e-10).x
  pd_ = 1 / (1 + np.exp(-design @ best))
  information = design.T @ ((pd_ * (1 - pd_))[:, None] * design) + np.diag([0, 0.01, 0.01, 0.01])
  covariance = np.linalg.inv(information)

  def rates(b):
    changed = [
      np.column_stack([design[:, :1], np.tile(own, (900, 1)), design[:, 3:]]) for own in ([0, 0], [1, 0], [0, 1])
    ]
    return np.array([(1 / (1 + np.exp(-(table @ b)))).mean() for table in changed])

  slopes = approx_fprime(best, rates, 1e-6)
  factor = regression.adjust(["first"])["first"]

  assert factor.rates == pytest.approx(rates(best), abs=1e-5)
  assert factor.covariance == pytest.approx(slopes @ covariance @ slopes.T, rel=1e-3)
  wald = best[1:3] @ np.linalg.inv(covariance[1:3, 1:3]) @ best[1:3]
  assert factor.statistic == pytest.approx(wald, rel=1e-3)
  assert factor.freedom == 2
  weights = np.array([-factor.shares[0], factor.shares[0] - 1, -factor.shares[2]])
  weights /= np.array([1 - factor.shares[1], factor.shares[0] - 1, 1 - factor.shares[1]])
  difference, error = factor.compare([1])
  assert difference == pytest.approx(weights @ factor.rates)
  assert error >= np.sqrt(weights @ factor.covariance @ weights) * 0.999999


def test_a_segment_without_any_charge_off_has_finite_figures():
  outcome = [0] * 40 + [1] * 60 + [0] * 240 + [1]
  factor = regress(outcome, grade=["A"] * 40 + ["B"] * 300 + ["C"]).adjust(["grade"])["grade"]

  assert factor.rates[0] < 0.01
  assert np.isfinite(factor.covariance).all()
  assert factor.compare([0])[0] == pytest.approx(-60 / 301, abs=0.01)


def test_the_strength_of_one_segment_is_none():
  factor = regress([0, 1, 0, 1], grade=list("AAAA")).adjust(["grade"])["grade"]

  assert factor.measure_strength() == (0, 0, 0)
  assert np.isnan(factor.p_value)


def test_the_interval_of_a_strength_holds_the_truth_as_often_as_it_says():
  # Rates of 23.1% but for a third at 42.6%.
  truth = (0.4256 - 0.2315) * np.sqrt(2) / 3
  held = 0
  for seed in range(200):
    _, low, high = draw(600, seed, 0.9).adjust(["first"])["first"].measure_strength()
    held += low <= truth <= high

  assert held >= 182  # of 190 expected; fewer happen once in 1,000 times
