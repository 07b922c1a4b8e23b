import numpy as np
import pytest
from scipy.stats import chi2, ncx2

from loantap.measures.stability import compare_counts, measure_stability, noncentrality_bounds

UNIFORM = (np.arange(10_000) + 0.5) / 10_000


def measure(expected, actual, bins=10):
  return measure_stability(expected, actual, bins=bins)


def test_the_same_population_is_stable():
  assert measure(UNIFORM, UNIFORM).psi == pytest.approx(0)


def test_it_is_the_sum_of_share_differences_times_log_ratios():
  # Half of the expected lie in each band, of the actual 20% and 80%.
  actual = np.concatenate([np.full(200, 0.25), np.full(800, 0.75)])

  index = measure(UNIFORM, actual, bins=2)

  assert index.psi == pytest.approx(-0.3 * np.log(0.4) + 0.3 * np.log(1.6))
  assert index.low < index.psi < index.high


@pytest.mark.parametrize(
  ("expected", "actual", "psi", "free"),
  [
    ([80, 20], [50, 50], 0.3 * np.log(0.8 / 0.5) + 0.3 * np.log(0.5 / 0.2), 1),
    # As if half a loan were in the first band.
    ([50, 50], [0, 99.5], 0.495 * np.log(0.5 / 0.005) + 0.495 * np.log(0.995 / 0.5), 1),
    ([40], [60], 0, 1),
    ([10, 20, 30], [10, 20, 30], 0, 2),
  ],
)
def test_counts_by_hand(expected, actual, psi, free):
  index = compare_counts(np.array(expected), np.array(actual))

  assert index.psi == pytest.approx(psi)
  assert index.chance == pytest.approx(chi2.ppf(0.95, free) * (1 / sum(expected) + 1 / sum(actual)))


def test_a_value_at_an_edge_belongs_above_it_and_bands_are_ten():
  found = measure(np.array([0.1, 0.2, 0.2, 0.4]), np.array([0.2, 0.2, 0.1]), bins=2)

  assert found == compare_counts(np.array([1, 3]), np.array([1, 2]))
  assert measure_stability(UNIFORM, UNIFORM[2_000:]) == measure(UNIFORM, UNIFORM[2_000:])


def test_a_band_nobody_is_in_gives_a_finite_index():
  index = measure(UNIFORM, UNIFORM[:5_000])

  assert 0.25 < index.psi < 10
  assert index.high < 10


def test_an_index_below_the_chance_level_is_compatible_with_no_shift():
  index = measure(UNIFORM, np.random.default_rng(1).random(500))

  assert index.psi < index.chance
  assert (index.low, index.chance) == (0, pytest.approx(chi2.ppf(0.95, 9) * (1 / 10_000 + 1 / 500)))


def test_the_interval_holds_the_index_and_reaches_zero_where_nothing_has_shifted():
  """Two samples of one population, again and again: 524 loans against 4,715."""
  rng = np.random.default_rng(0)
  drawn = [measure(rng.beta(1.6, 6.8, 4_715), rng.beta(1.6, 6.8, 524)) for _ in range(100)]

  assert all(0 <= index.low <= index.psi <= index.high for index in drawn)
  assert sum(index.low == 0 for index in drawn) >= 93
  assert sum(index.psi > index.chance for index in drawn) <= 11


def test_the_interval_holds_the_index_of_the_populations_95_times_in_100():
  rng = np.random.default_rng(0)
  shift = measure(rng.beta(1.6, 6.8, 1_000_000), rng.beta(2, 6.8, 1_000_000)).psi
  drawn = [measure(rng.beta(1.6, 6.8, 4_715), rng.beta(2, 6.8, 524)) for _ in range(100)]

  assert 0.08 < shift < 0.16
  assert 88 <= sum(index.low <= shift <= index.high for index in drawn) <= 100


def test_counts_by_band_give_what_their_samples_give():
  a = np.concatenate([np.full(500, 0.1), np.full(500, 0.9)])
  b = np.concatenate([np.full(30, 0.1), np.full(70, 0.9)])

  assert compare_counts(np.array([500, 500]), np.array([30, 70])) == measure(a, b, bins=2)


def test_bounds_of_a_shift_are_where_the_statistic_is_at_the_end_of_its_distribution():
  low, high = noncentrality_bounds(30.0, 4)

  assert ncx2.sf(30.0, 4, low) == pytest.approx(0.025)
  assert ncx2.cdf(30.0, 4, high) == pytest.approx(0.025)


def test_a_statistic_within_chance_may_be_shifted_by_nothing():
  assert noncentrality_bounds(4.0, 4)[0] == 0
  assert noncentrality_bounds(0.1, 4) == (0, 0)
