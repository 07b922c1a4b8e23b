import numpy as np
import pandas as pd
import pytest

from loantap.surveillance.hazard.design import (
	Position,
	expand,
	lead_matrix,
	look_ahead,
	name_lead,
	name_state,
	sample_landmarks,
	scale_features,
	state_matrix,
)
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


def look(days, age, remaining, lead, first, last):
	one = [np.array([float(value)]) for value in (days, age, age + remaining, remaining)]
	row = lead_matrix(Position(*one, np.array([lead])), first, last)[0]
	return dict(zip(name_lead(first, last), row, strict=True))


@pytest.mark.parametrize(
	("days", "lead", "cell"),
	[
		(0, 1, "not late days late, lead 1"),
		(1, 2, "1 to 29 days late, lead 2"),
		(29, 3, "1 to 29 days late, lead 3"),
		(30, 1, "30 to 59 days late, lead 1"),
		(60, 3, "60 to 89 days late, lead 3"),
	],
)
def test_arrears_have_an_effect_of_their_own_at_each_near_lead(days, lead, cell):
	found = look(days, 10, 20, lead, 1, 3)
	cells = {name: value for name, value in found.items() if "days late" in name}
	assert cells == {name: float(name == cell) for name in cells}


def test_far_leads_share_one_effect_of_arrears():
	found = look(30, 10, 40, 20, 13, 24)
	assert [n for n, v in found.items() if v and "late" in n] == ["30 to 59 days late, later"]


@pytest.mark.parametrize(
	("lead", "expected"), [(1, (0, 0, 0)), (2, (1, 0, 0)), (4, (1, 0, 0)), (5, (0, 1, 0)), (6, (0, 0, 1))]
)
def test_the_months_around_the_last_instalment_are_told_apart(lead, expected):
	found = look(0, 10, 5, lead, 1, 6)
	assert tuple(found[n] for n in ("nearly due", "due", "past due date")) == expected


def test_ages_are_those_of_the_month_looked_forward_to():
	found = look(0, 10, 10, 4, 4, 6)
	assert (found["age over 12"], found["age over 24"]) == (2 / 12, 0)
	assert found["share of term over 0.5"] == pytest.approx(14 / 20 - 0.5)


def test_a_missing_feature_counts_as_the_mean_and_says_so():
	panel = make_panel(["a"] * 4, [1, 2, 3, 4], dti_pct=[10.0, 20, np.nan, 9_999])
	features = scale_features(panel, ("dti_pct", "utilisation_pct"))
	assert name_state(features) == ["dti_pct", "dti_pct missing"]
	matrix = state_matrix(panel, features)
	spread = np.std([10, 20, 60])
	np.testing.assert_allclose(matrix[:, 0], [-20 / spread, -10 / spread, 0, 30 / spread])
	assert matrix[:, 1].tolist() == [0, 0, 1, 0]


def test_a_rise_says_more_the_larger_it_is_and_a_level_does_not():
	months = [*range(1, 11)]
	panel = make_panel(["a"] * 10, months, dti_change_6m=[0.0] * 9 + [10], dti_pct=[0.0] * 9 + [10])
	features = scale_features(panel, ("dti_pct", "dti_change_6m"))
	assert name_state(features) == ["dti_pct", "dti_change_6m", "dti_change_6m over 0.5", "dti_change_6m over 2"]
	np.testing.assert_allclose(state_matrix(panel, features)[[0, 9]], [[-1 / 3, -1 / 3, 0, 0], [3, 3, 2.5, 1]])


def test_features_that_are_missing_together_have_one_indicator():
	gap = [np.nan, np.nan, 1.0, 3.0]
	panel = make_panel(["a"] * 4, [1, 2, 3, 4], dti_change_6m=gap, utilisation_change_6m=gap)
	found = scale_features(panel, ("dti_change_6m", "utilisation_change_6m"))
	assert [f.has_indicator for f in found] == [True, False]


def test_a_feature_that_is_all_missing_is_left_out():
	panel = make_panel(["a"] * 2, [1, 2], dti_pct=pd.Series([np.nan, np.nan]))
	assert scale_features(panel, ("dti_pct",)) == ()
