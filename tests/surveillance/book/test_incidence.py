import numpy as np
import pandas as pd
import pytest

from loantap.surveillance.book.vintages import cumulate_incidence

CAUSES = ("default", "prepaid")


def count(ends, causes, months):
    return pd.DataFrame(
        {
            "at_risk": [(ends >= month).sum() for month in months],
            **{c: [((ends == m) & (causes == c)).sum() for m in months] for c in CAUSES},
        }
    )


def test_five_loans_by_hand():
    """Default in month 1, prepaid in 2, censored in 2, default in 3, censored in 3.

    Month 1: 1/5. Month 2: S = 4/5, prepaid 4/5 x 1/4 = 1/5. Month 3: S = 4/5 x 3/4 = 3/5, two at
    risk: default 1/5 + 3/5 x 1/2 = 1/2. One minus Kaplan-Meier of default would be 3/5.
    """
    counts = pd.DataFrame({"at_risk": [5, 4, 2], "default": [1, 0, 1], "prepaid": [0, 1, 0]})
    found = cumulate_incidence(counts, CAUSES)

    assert found["default_share"].tolist() == pytest.approx([1 / 5, 1 / 5, 1 / 2])
    assert found["prepaid_share"].tolist() == pytest.approx([0, 1 / 5, 1 / 5])


def test_without_censoring_the_share_is_the_plain_one_and_its_variance_binomial():
    counts = pd.DataFrame({"at_risk": [200, 190, 150], "default": [4, 10, 6], "prepaid": [6, 30, 4]})
    found = cumulate_incidence(counts, CAUSES)
    share = np.array([4, 14, 20]) / 200

    assert found["default_share"].to_numpy() == pytest.approx(share)
    error = np.sqrt(share * (1 - share) / 200)
    half = 1.959964 * error / (share * -np.log(share))
    assert found["default_low"].to_numpy() == pytest.approx(share ** np.exp(half))
    assert found["default_high"].to_numpy() == pytest.approx(share ** np.exp(-half))


def test_bounds_hold_the_truth_as_often_as_they_say():
    """Censored loans drawn 400 times: 95% of the intervals hold the share that is true."""
    rng = np.random.default_rng(4)
    months = np.arange(1, 13)
    # Each month 2% default and 4% prepay of those left.
    left = 0.94 ** np.arange(12)
    truth = 0.02 * left.sum()
    held = []
    for _ in range(400):
        event = rng.geometric(0.06, 300)
        cause = np.where(rng.random(300) < 1 / 3, "default", "prepaid")
        gone = rng.integers(1, 24, 300)
        ends = np.minimum(event, gone)
        found = cumulate_incidence(count(ends, np.where(event <= gone, cause, ""), months), CAUSES)
        last = found.iloc[-1]
        held.append(last["default_low"] <= truth <= last["default_high"])

    assert np.mean(held) == pytest.approx(0.95, abs=0.03)


def test_brute_force_gives_the_same_with_censoring():
    """Efron's redistribution: who is seen no longer hands an equal share to those seen longer."""
    rng = np.random.default_rng(8)
    ends = rng.integers(1, 9, 60)
    causes = rng.choice(["default", "prepaid", ""], 60)
    found = cumulate_incidence(count(ends, causes, np.arange(1, 9)), CAUSES)

    weight = np.full(60, 1 / 60)
    for month in range(1, 9):
        gone = (ends == month) & (causes == "")
        later = ends > month
        if later.any():
            weight = weight + later * weight[gone].sum() * weight / max(weight[later].sum(), 1e-300)
            weight[gone] = 0
        expected = weight[(ends <= month) & (causes == "default")].sum()
        assert found["default_share"][month - 1] == pytest.approx(expected)


def test_an_event_that_never_came_has_an_upper_bound_still():
    found = cumulate_incidence(pd.DataFrame({"at_risk": [30], "default": [0], "prepaid": [0]}), CAUSES)

    assert found["default_low"][0] == 0
    assert found["default_high"][0] == pytest.approx(0.1157, abs=1e-4)  # Clopper-Pearson, 0 of 30
