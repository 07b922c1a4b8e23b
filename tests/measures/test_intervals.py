import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, ncx2

from loantap.measures.intervals import (
	Z95_ONE_SIDED,
	compare_counts,
	measure_default_rate,
	measure_default_rates,
	measure_stability,
	noncentrality_bounds,
	normal_bounds,
	wilson_bounds,
)

counts = st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
	("charged_off", "loans", "expected"),
	[
		(0, 10, (0.0, 0.2775)),  # 3.8415 / 13.8415
		(10, 10, (0.7225, 1.0)),
		(5, 10, (0.2366, 0.7634)),
		(200, 1_000, (0.1764, 0.2259)),
	],
)
def test_by_hand(charged_off, loans, expected):
	low, high = wilson_bounds(charged_off, loans)

	assert (float(low), float(high)) == pytest.approx(expected, abs=5e-5)


@given(counts)
def test_the_interval_holds_the_rate_and_stays_within_0_and_1(count):
	low, high = wilson_bounds(*count)

	assert 0 <= low <= count[0] / count[1] <= high <= 1
	assert low < high


@given(counts)
def test_losses_and_repayments_have_mirrored_intervals(count):
	low, high = wilson_bounds(*count)
	paid_low, paid_high = wilson_bounds(count[1] - count[0], count[1])

	assert (float(low), float(high)) == pytest.approx((1 - paid_high, 1 - paid_low))


@pytest.mark.parametrize("rate", [0.05, 0.191, 0.5])
def test_95_of_100_intervals_hold_the_true_rate(rate):
	drawn = np.random.default_rng(1).binomial(200, rate, size=20_000)

	low, high = wilson_bounds(drawn, np.full(20_000, 200))

	assert ((low <= rate) & (rate <= high)).mean() == pytest.approx(0.95, abs=0.02)


def test_a_rate_has_its_bounds_by_name_and_many_rates_have_theirs():
	one, both = measure_default_rate(5, 10), measure_default_rates(np.array([5, 200]), np.array([10, 1_000]))

	expected = {"default_rate": 0.5, "default_rate_low": 0.2366, "default_rate_high": 0.7634}
	assert one.columns == pytest.approx(expected, abs=5e-5)
	assert {name: values[0] for name, values in both.columns.items()} == pytest.approx(expected, abs=5e-5)
	assert (both.rate[1], both.low[1], both.high[1]) == pytest.approx((0.2, 0.1764, 0.2259), abs=5e-5)


def test_normal_bounds_are_two_standard_errors_to_either_side_within_0_and_1():
	low, high = normal_bounds(np.array([0.5, 0.01, 0.99]), np.array([0.1, 0.1, 0.1]))

	assert low.tolist() == pytest.approx([0.304, 0, 0.794], abs=5e-4)
	assert high.tolist() == pytest.approx([0.696, 0.206, 1], abs=5e-4)


def test_one_normal_draw_in_twenty_lies_beyond_the_one_sided_bound():
	assert pytest.approx(1.644854, abs=1e-6) == Z95_ONE_SIDED


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
