"""Figures of the API: what is made of the answers."""

import math

import numpy as np
import pytest

from tools.benchmarks.api_figures import Capacity, compare_capacity, tell_memory
from tools.benchmarks.api_trials import find_recovery
from tools.load.generator import Load


def load(status, milliseconds, answered_at):
    taken = np.array(milliseconds) / 1e3
    return Load(4.0, len(status), 0, np.array(status), taken, np.array(answered_at), 0.0)


def test_a_ratio_is_the_middle_one_of_the_rounds():
    found = {
        "ours": Capacity([500.0, 900.0, 400.0], [200.0] * 3),
        "constant": Capacity([1_000.0, 1_000.0, 1_000.0], [100.0] * 3),
    }

    rows = compare_capacity(found, "ours", {"constant": 0.5})

    assert [row.what for row in rows] == [
        "ours: requests a second", "constant: requests a second", "ours, times constant",
    ]  # fmt: skip
    assert rows[-1].value == 0.5
    assert rows[-1].is_met
    assert compare_capacity(found, "ours", {"constant": 0.501})[-1].is_met is False


@pytest.mark.parametrize(
    ("status", "milliseconds", "seconds"),
    [
        ([200, 200, 200, 200], [3, 3, 3, 3], 0.0),
        ([503, 200, 200, 200], [3, 3, 3, 3], 0.5),
        ([200, 503, 200, 200], [3, 3, 3, 3], 1.0),
        ([503, 200, 200, 200], [3, 3, 26, 3], 1.5),
        ([200, 200, 200, 0], [3, 3, 3, 3], 2.0),
    ],
)
def test_a_server_is_back_to_normal_after_its_last_bad_half_second(status, milliseconds, seconds):
    assert find_recovery(load(status, milliseconds, [0.1, 0.6, 1.1, 1.6])) == seconds


def test_quantiles_are_of_what_was_answered_with_success():
    answers = load([200, 200, 503], [4, 4, 100], [0.1, 0.2, 0.3])

    assert answers.take_quantile(0.99) == pytest.approx(4)
    assert answers.take_quantile(0.99, status=503) == pytest.approx(100)
    assert math.isnan(answers.take_quantile(0.99, status=429))
    assert answers.errors == 1
    assert answers.rate == 0.5


def test_a_process_may_have_500_million_bytes():
    assert tell_memory("largest", 476.8).is_met
    assert tell_memory("largest", 476.9).is_met is False
