import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from loantap.measures.auc import bootstrap_aucs, quantile_bounds


@pytest.fixture
def target():
    return np.random.default_rng(1).integers(0, 2, 400)


def test_each_resample_has_the_auc_of_the_loans_drawn(target):
    score = np.random.default_rng(2).normal(size=400).round(1) + target  # with ties
    rng = np.random.default_rng(9)
    draws = [rng.integers(0, 400, 400) for _ in range(20)]

    drawn = bootstrap_aucs(target, score[None], seed=9, resamples=20)

    expected = [roc_auc_score(target[draw], score[draw]) for draw in draws]
    np.testing.assert_allclose(drawn[:, 0], expected)


def test_a_resample_without_an_outcome_is_drawn_again():
    target = np.array([1, 0, 0])

    drawn = bootstrap_aucs(target, np.array([[0.9, 0.1, 0.2]]), seed=1, resamples=100)

    assert drawn.shape == (100, 1)
    assert (drawn == 1).all()


@pytest.mark.slow
def test_bounds_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(5)
    covered = []
    for seed in range(100):
        target = rng.integers(0, 2, 300)
        score = rng.normal(size=300) + target  # AUC is Phi(1 / sqrt 2)
        low, high = quantile_bounds(bootstrap_aucs(target, score[None], seed=seed, resamples=200))
        covered.append(low <= 0.76025 <= high)

    assert 0.88 <= np.mean(covered) <= 1
