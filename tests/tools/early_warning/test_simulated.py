from datetime import date

import pytest
from sklearn.metrics import roc_auc_score

from loantap.measures.metrics import expected_calibration_error, perfect_ece_bounds
from tools.early_warning import simulated
from tools.early_warning.simulated import detect, simulate_world

DAY = date(2016, 3, 1)


@pytest.mark.parametrize(("strength", "least", "most"), [(0.0, 0.62, 0.74), (2.0, 0.76, 0.9)])
def test_who_knows_the_law_is_calibrated_and_ranks_as_well_as_the_signal_is_strong(strength, least, most):
	world = simulate_world(3_000, DAY, strength, seed=7)
	defaults = (simulated.until_default(world) <= 12).astype(int)
	best, told = detect(world, 12)[["best", "told"]].to_numpy().T
	low, high = perfect_ece_bounds(best, seed=1, resamples=300, confidence=0.999)

	assert low < expected_calibration_error(defaults, best) < high
	assert least < roc_auc_score(defaults, best) < most
	assert roc_auc_score(defaults, told) > 0.9
	assert world.now["days_past_due"].eq(0).all()


def test_the_oracle_beats_who_knows_the_law_and_that_one_the_hazard_again_and_again():
	first, second = (list(simulated.measure_strength(1_000, DAY, 1.0, seed=7)) for _ in range(2))
	captured = [float(value[:5]) for name, value in first if name.startswith("  capture: ")]

	assert captured[:4] == sorted(captured[:4], reverse=True)
	assert captured[0] > captured[3] > simulated.LIST_SHARE
	assert first == second
