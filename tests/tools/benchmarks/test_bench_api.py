import numpy as np
import pytest

from tools.benchmarks.bench_api import find_recovery
from tools.load.generator import Load


def load(status, milliseconds):
	at = np.arange(len(status)) * 0.5 + 0.1
	return Load(4.0, 0, np.array(status), np.array(milliseconds) / 1e3, at)


@pytest.mark.parametrize(
	("status", "milliseconds", "seconds"),
	[
		([200, 200, 200, 200], [3, 3, 3, 3], 0.0),
		([200, 503, 200, 200], [3, 3, 3, 3], 1.0),
		([503, 200, 200, 200], [3, 3, 26, 3], 1.5),
		([200, 200, 200, 0], [3, 3, 3, 3], 2.0),
	],
)
def test_a_server_is_back_to_normal_after_its_last_bad_half_second(status, milliseconds, seconds):
	assert find_recovery(load(status, milliseconds)) == seconds


def test_quantiles_are_of_what_was_answered_with_success():
	answers = load([200, 200, 503], [4, 4, 100])

	assert answers.take_quantile(0.99) == pytest.approx(4)
	assert answers.take_quantile(0.99, status=503) == pytest.approx(100)
	assert answers.errors == 1
	assert answers.rate == 0.5
