import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loantap.measures.intervals import wilson_bounds

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
