import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loantap.measures.intervals import (
  Z95_ONE_SIDED,
  measure_default_rate,
  measure_default_rates,
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
