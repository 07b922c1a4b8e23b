import numpy as np
import pytest
from scipy.stats import norm

from loantap.measures.intervals import Z95, wilson_bounds
from loantap.policy.fairness.proxies import measure_ratios, ratio_bounds
from loantap.policy.money.returns import NO_ESTIMATE, Estimate

APPROVED, LOANS = np.array([280, 70, 50, 240]), np.array([400, 200, 50, 400])


def test_the_measure_is_the_large_group_approved_most_often_and_bounds_are_those_of_all_pairs_at_once():
  measured = measure_ratios(APPROVED, LOANS, 100)

  # All of the third group's 50 loans are approved, but they are fewer than it takes.
  assert measured.is_measure.tolist() == [True, False, False, False]
  assert measured.ratio[[0, 1, 3]] == pytest.approx([1, 0.35 / 0.7, 0.6 / 0.7])
  assert np.isnan([measured.ratio[2], measured.low[2], measured.high[2]]).all()
  assert (measured.low[0], measured.high[0]) == (1, 1)
  z = float(norm.isf(0.025 / 3))  # three groups are large, so there are three pairs
  low, high = ratio_bounds((APPROVED[[1]], LOANS[[1]]), (280, 400), z)
  assert (measured.low[1], measured.high[1]) == pytest.approx((low[0], high[0]))
  assert measured.worst == Estimate(measured.ratio[1], measured.low[1], measured.high[1])


def test_nobody_approved_leaves_nothing_to_compare():
  measured = measure_ratios(np.zeros(4, dtype=int), LOANS, 100)

  assert np.isnan(measured.ratio).all()
  assert not measured.is_measure.any()
  assert measured.worst is NO_ESTIMATE


@pytest.mark.parametrize("min_loans", [300, 1_000])
def test_one_large_group_or_none_has_no_worst(min_loans):
  measured = measure_ratios(APPROVED[:3], LOANS[:3], min_loans)

  assert measured.worst is NO_ESTIMATE


def test_intervals_hold_all_at_once_although_the_measure_was_found_by_looking():
  """Over 400 seeds: ten groups of one true rate, so that every true ratio is 1."""
  rng = np.random.default_rng(7)
  loans = np.full(10, 150)
  missed = worst_missed = 0
  for _ in range(400):
    measured = measure_ratios(rng.binomial(loans, 0.6), loans, 100)
    missed += bool(((measured.low > 1) | (measured.high < 1)).any())
    worst_missed += measured.worst.high < 1

  # 5% of 400 is 20; bounds of single pairs at 95% would miss half of the time.
  assert missed <= 20
  assert worst_missed <= 20


def test_bounds_are_those_of_the_formula():
  """Donner and Zou, worked with the Wilson bounds of 70 in 200 and 280 in 400."""
  (low1, high1), (low2, high2) = wilson_bounds(70, 200), wilson_bounds(280, 400)
  product = 0.35 * 0.7
  low = product - np.sqrt(product**2 - low1 * high2 * (0.7 - low1) * (1.4 - high2))
  high = product + np.sqrt(product**2 - high1 * low2 * (0.7 - high1) * (1.4 - low2))

  got = ratio_bounds((np.array([70]), np.array([200])), (280, 400), Z95)

  assert got[0][0] == pytest.approx(low / (high2 * (1.4 - high2)))
  assert got[1][0] == pytest.approx(high / (low2 * (1.4 - low2)))


def test_all_or_none_approved_has_bounds_too():
  low, high = ratio_bounds((np.array([0, 200]), np.array([200, 200])), (400, 400), Z95)

  assert low[0] == pytest.approx(0, abs=1e-12)
  assert 0 < high[0] < 0.03
  assert 0.97 < low[1] < 1 < high[1] < 1.01
