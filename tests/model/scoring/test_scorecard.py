import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from loantap.features.build import MISSING
from loantap.features.definitions import FEATURE_SETS
from loantap.model.scoring.decompose import make_scorecard, measure_reference
from loantap.model.scoring.scorecard import (
	SCALE,
	LinearEffect,
	StepEffect,
	TableEffect,
	to_probabilities,
	to_probability,
)
from loantap.portfolio.column_reading import Texts

LENDING = FEATURE_SETS["lending"]
any_borrower = st.fixed_dictionaries(
	{name: st.one_of(st.floats(-50, 200), st.just(np.nan)) for name in LENDING.numeric}
	| {"purpose": st.sampled_from(["debt_consolidation", "car", "a trip to the moon", MISSING])}
)


@pytest.fixture(scope="module", params=["logistic", "boosting"])
def pipeline(request, lending_model, boosted_pipeline):
	return lending_model.pipeline if request.param == "logistic" else boosted_pipeline


@pytest.fixture(scope="module")
def scorecard(pipeline, features):
	return make_scorecard(pipeline, LENDING, measure_reference(pipeline, LENDING, features))


@given(borrower=any_borrower)
def test_a_model_taken_apart_adds_up_for_any_borrower_even_one_never_seen(pipeline, scorecard, borrower):
	one = pd.DataFrame([borrower])[list(LENDING.features)]

	total = scorecard.log_odds(one).iloc[0]

	assert total == pytest.approx(pipeline.decision_function(one)[0], abs=1e-9)


@given(borrower=any_borrower)
def test_one_value_contributes_what_it_does_in_a_column(scorecard, borrower):
	column = scorecard.contributions(pd.DataFrame([borrower])).iloc[0]

	for name, effect in scorecard.effects.items():
		assert effect.of_one(borrower[name]) == column[name]


@pytest.mark.parametrize("towards", [np.inf, -np.inf])
def test_a_contribution_does_not_hang_on_the_last_bit_of_a_value(scorecard, features, towards):
	moved = features.assign(**{name: np.nextafter(features[name], towards) for name in LENDING.numeric})
	pd.testing.assert_frame_equal(scorecard.contributions(moved), scorecard.contributions(features), atol=1e-9, rtol=0)


def test_a_model_with_interactions_is_refused(features):
	target = np.arange(len(features)) % 2
	for classifier in (HistGradientBoostingClassifier(max_iter=2), RandomForestClassifier(2)):
		pipeline = Pipeline([("preprocess", OrdinalEncoder()), ("classify", classifier)])
		pipeline.fit(features.head(50).fillna(0), target[:50])

		with pytest.raises(ValueError, match="not a sum of one effect per feature"):
			make_scorecard(pipeline, LENDING, (0.0,))


def test_a_line_is_worth_nothing_at_its_centre():
	line = LinearEffect(slope=0.5, centre=10.0, missing=0.1)

	np.testing.assert_allclose(line.of_column(np.array([10, 12, np.nan])), [0, 1, 0.1])
	assert line.of_one(12.0) == 1
	assert line.of_one(math.nan) == 0.1
	assert line.direction == 1
	assert LinearEffect(-0.5, 0, 0).direction == -1
	assert LinearEffect(0.0, 0, 0).direction == 0


def test_the_edge_of_a_step_belongs_to_the_interval_below():
	steps = StepEffect(edges=(1.0, 2.0), levels=(-1.0, 0.0, 3.0), missing=0.5)

	values = np.array([0.5, 1, 1.5, 2, 2.5, np.nan])
	np.testing.assert_array_equal(steps.of_column(values), [-1, -1, 0, 0, 3, 0.5])
	assert [steps.of_one(value) for value in values] == [-1, -1, 0, 0, 3, 0.5]


@pytest.mark.parametrize(("levels", "direction"), [((0, 1, 1), 1), ((3, 1, 0), -1), ((1, 1, 1), 0), ((0, 2, 1), None)])
def test_steps_rise_fall_or_do_either(levels, direction):
	assert StepEffect((1.0, 2.0), levels, 0).direction == direction


def test_a_category_never_seen_is_any_other():
	table = TableEffect({"car": -0.2, "house": 0.3}, other=0.1)

	column = Texts(np.array([1, 0, 2]), ("car", "house", "moon"))
	np.testing.assert_array_equal(table.of_column(column), [0.3, -0.2, 0.1])
	assert [table.of_one(text) for text in ("house", "car", "moon")] == [0.3, -0.2, 0.1]
	assert table.direction is None


@pytest.mark.parametrize(
	("probability", "score"),
	[
		(0.2, 600),  # four paid loans per default
		(1 / 9, 650),  # eight: twice the odds are 50 points more
		(1 / 3, 550),
		(1e-6, 900),
		(1 - 1e-6, 300),
	],
)
def test_a_score_is_600_at_odds_of_four_to_one_and_50_more_when_they_double(probability, score):
	log_odds = math.log(probability / (1 - probability))

	assert SCALE.of_one(log_odds) == score
	assert SCALE.of_column(np.array([log_odds])).tolist() == [score]


@given(st.floats(-1e6, 1e6))
def test_a_score_of_one_application_is_that_in_a_batch(log_odds):
	assert SCALE.of_column(np.array([log_odds])).tolist() == [SCALE.of_one(log_odds)]


@given(st.floats(-1e4, 1e4))
def test_a_pd_is_the_same_for_one_as_in_a_batch(log_odds):
	one = to_probability(log_odds)

	assert one == pytest.approx(to_probabilities(np.array([log_odds]))[0], abs=1e-12)
	assert 0 <= one <= 1
