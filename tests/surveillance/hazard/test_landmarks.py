import numpy as np
import pandas as pd

from loantap.surveillance.hazard.landmarks import expand, look_ahead, sample_landmarks
from tests.surveillance.hazard.world import make_outcomes, make_panel, simulate

NONE = np.nan


def test_a_landmark_is_at_risk_up_to_its_event_or_its_last_month():
    landmarks = make_panel(list("abcde"), [2, 2, 2, 2, 2])
    ahead = look_ahead(landmarks, make_outcomes(list("abcd"), [4, NONE, NONE, 2], [NONE, 5, NONE, NONE], [9, 6, 3, 9]))
    # Default, payment, censored, already in default, unknown.
    assert ahead.seen.tolist() == [2, 3, 1, 0, 0]
    landmark, lead = expand(ahead, 1, 2, most=100, seed=0)
    assert list(zip(landmark.tolist(), lead.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1)]
    landmark, lead = expand(ahead, 3, 6, most=100, seed=0)
    assert list(zip(landmark.tolist(), lead.tolist(), strict=True)) == [(1, 3)]


def test_a_sample_is_the_same_in_any_batches_and_holds_no_loan_in_default():
    panel, _ = simulate(400, seed=1)
    whole = sample_landmarks(panel, 2_000, seed=5)
    parts = [panel.iloc[:3_000], panel.iloc[3_000:]]
    joined = pd.concat([sample_landmarks(p, 2_000, 5, rows=len(panel)) for p in parts])
    pd.testing.assert_frame_equal(whole, joined.reset_index(drop=True))
    assert abs(len(whole) / 2_000 - 1) < 0.1
    assert whole["days_past_due"].max() < 90
    assert not whole.equals(sample_landmarks(panel, 2_000, seed=6))
