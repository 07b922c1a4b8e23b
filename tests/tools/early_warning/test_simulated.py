import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tools.benchmarks.configured import read_early_warning
from tools.early_warning.detector import detect
from tools.early_warning.simulated import list_riskiest, list_within_strata
from tools.early_warning.world import take_snapshot

PANEL, _ = read_early_warning()
MONTH = np.datetime64("2015-09", "M")


def test_the_list_is_the_riskiest_twentieth_of_those_asked_for():
    scores = np.arange(100.0)
    listed = list_riskiest(scores, scores < 60)
    assert np.flatnonzero(listed).tolist() == [57, 58, 59]


def test_a_list_within_strata_leaves_out_what_was_known_without_trends():
    rng = np.random.default_rng(0)
    static = rng.uniform(0.01, 0.9, 20_000)
    listed = list_within_strata(static * rng.uniform(0.99, 1.0, 20_000), static, static > 0)
    assert listed.mean() == pytest.approx(0.05)
    assert static[listed].mean() == pytest.approx(static.mean(), abs=0.02)


@pytest.fixture(scope="module", params=[0.0, 1.0])
def snapshot(request):
    return take_snapshot(1_500, 7, MONTH, request.param, PANEL)


def test_nothing_after_the_snapshot_is_seen_and_the_truth_goes_on(snapshot):
    assert snapshot.panel["month"].max() == snapshot.outcomes["last_month"].max() == MONTH
    later = take_snapshot(1_500, 7, MONTH + 12, float(snapshot.latent.any()), PANEL).outcomes
    known = snapshot.now[["loan_id"]].merge(later, on="loan_id", how="left")
    is_new = (known["default_month"] > np.datetime64(MONTH, "s")).to_numpy()
    alive = (snapshot.now["days_past_due"] < 90).to_numpy()
    np.testing.assert_array_equal(is_new[alive], snapshot.defaults[alive] == 1)


def test_the_oracle_knows_those_who_drift_and_is_right_about_the_others(snapshot):
    known = snapshot.know_latent()
    drifts = snapshot.latent > 0
    assert snapshot.defaults[drifts].all()
    others = snapshot.is_current & ~drifts
    assert known[others].mean() == pytest.approx(snapshot.defaults[others].mean(), abs=0.02)


def test_the_best_detector_is_calibrated_and_ranks_below_the_oracle(snapshot):
    current = snapshot.is_current
    target = snapshot.defaults[current]
    found = detect(snapshot, float(snapshot.latent.any()))[current]
    oracle = snapshot.know_latent()[current]
    assert found.mean() == pytest.approx(target.mean(), abs=0.02)
    if snapshot.latent.any():
        assert 0.7 < roc_auc_score(target, found) < roc_auc_score(target, oracle)
    else:
        np.testing.assert_allclose(found, oracle)
