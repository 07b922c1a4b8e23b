from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from loantap.measures.metrics import expected_calibration_error, perfect_ece_bounds
from tools.early_warning import simulated
from tools.early_warning.detector import detect
from tools.early_warning.ranks import find_top
from tools.early_warning.world import simulate_world, take_moment

DAY = date(2016, 3, 1)
LOANS = 3_000


def known_at(strength):
    moment = take_moment(simulate_world(LOANS, DAY, strength, seed=7))
    defaults = (simulated.until_default(moment) <= 12).astype(int)
    return moment, defaults, detect(moment.loans, moment.truth, moment.history, 12)


@pytest.fixture(scope="module")
def worlds():
    return {strength: known_at(strength) for strength in (0.0, 1.0)}


def test_nobody_on_the_list_is_in_arrears_and_the_months_end_with_it(worlds):
    moment, _, _ = worlds[1.0]

    assert moment.now["days_past_due"].eq(0).all()
    assert moment.loans["loan_id"].tolist() == moment.truth["loan_id"].tolist() == moment.now["loan_id"].tolist()
    assert moment.history["month"].max() == moment.now["month"].max()


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_who_knows_the_law_is_calibrated(worlds, strength):
    _, defaults, known = worlds[strength]

    low, high = perfect_ece_bounds(known.best, seed=1, resamples=300, confidence=0.999)
    assert low < expected_calibration_error(defaults, known.best) < high


def test_months_tell_as_much_as_the_signal_is_strong(worlds):
    (_, defaults, noise), (_, _, signal) = worlds[0.0], worlds[1.0]

    assert roc_auc_score(defaults, signal.best) > roc_auc_score(defaults, noise.best) + 0.02
    assert roc_auc_score(defaults, signal.told) > roc_auc_score(defaults, signal.best) + 0.1


def test_a_month_of_the_future_changes_no_chance(worlds):
    """A loan's strain and end are the oracle's alone."""
    moment, _, known = worlds[1.0]
    other = moment.truth.assign(strain=9.0, end="prepaid", first_missed_month=np.nan)

    np.testing.assert_array_equal(detect(moment.loans, other, moment.history, 12).best, known.best)
    assert detect(moment.loans, other, moment.history, 12).told.max() == 0


@pytest.mark.parametrize(("share", "listed"), [(0.05, 5), (0.5, 50)])
def test_a_list_has_its_length_and_chance_decides_among_equals(share, listed):
    score = np.array([1.0] * 3 + [0.0] * 97)
    first, second = (find_top(score, share, seed) for seed in (1, 2))

    assert first.sum() == second.sum() == listed
    assert first[:3].all()
    assert second[:3].all()
    assert (first != second).any()


@pytest.fixture(scope="module")
def figures():
    run = [list(simulated.measure_strength(1_000, DAY, 1.0, seed=7)) for _ in range(2)]
    return SimpleNamespace(first=run[0], second=run[1])


def test_the_oracle_beats_who_knows_the_law_and_that_one_the_hazard(figures):
    table = pd.DataFrame(figures.first, columns=["months", "figure", "value"]).set_index(["months", "figure"])["value"]
    names = ("oracle", "told who, not when", "best detector", "hazard")
    shares = [float(table[12, f"capture: {name}"].split()[0]) for name in names]

    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[-1] > simulated.LIST_SHARE


def test_the_same_figures_come_again(figures):
    assert figures.first == figures.second
