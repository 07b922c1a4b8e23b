import numpy as np
import pandas as pd
import pytest

from loantap.policy.comparison.portfolio import Lesson, prepare_features, score_profits, value_loans
from tests.policy.comparison.loans import make_portfolio, make_values
from tests.policy.shipped import PLAIN

# Past loans returned .1 more than their PD said where the feature is 1, and .1 less where it is -1.
FEATURE = np.array([[1.0], [-1.0], [1.0], [-1.0], [1.0], [-1.0]])
MARGIN = np.array([0.2, 0.2, 0.1, 0.1, 0.05, 0.05])
LESSON = Lesson(np.arange(4), np.arange(4, 6))
PRINCIPAL = np.full(6, 1_000.0)


def values():
	beyond = 0.1 * FEATURE[:, 0]
	return make_values([0.1] * 6, MARGIN.tolist(), (PRINCIPAL * (MARGIN + beyond)).tolist())


def test_where_nothing_can_be_learnt_it_is_the_npv_of_the_pd():
	nothing = Lesson(np.arange(0), np.arange(6))

	scores = score_profits(FEATURE, PRINCIPAL, {"mid": values()}, [nothing], 4.0)

	assert scores["mid"] == pytest.approx(MARGIN)


# Ridge of four loans at a penalty of 4: the coefficient is .4 / (4 + 4) = .05.
def test_it_adds_to_the_npv_of_the_pd_what_the_features_explain_beyond_it_in_each_scenario():
	both = {"mid": values(), "hard": make_values([0.1] * 6, MARGIN.tolist(), (PRINCIPAL * MARGIN))}

	scores = score_profits(FEATURE, PRINCIPAL, both, [LESSON], 4.0)

	assert scores["mid"][4:] == pytest.approx([0.1, 0.0])
	assert scores["hard"][4:] == pytest.approx([0.05, 0.05])


def test_features_are_prepared_without_looking_at_outcomes():
	_, loans, _ = make_portfolio(100)

	prepared = prepare_features(loans)

	assert prepared.shape[0] == 100
	assert not np.isnan(prepared).any()
	flipped = loans.assign(is_charged_off=1 - loans["is_charged_off"])
	assert np.array_equal(prepare_features(flipped), prepared)


# 1,000 at 12% over 12 months earn 22.33 if they are paid back and lose 286.22 if they are charged
# off after half of the term, of which .6 is lost; funds cost 6%, origination 1%. At a PD of .25
# 22.33 - .25 x 308.55 = -54.81 are to be expected.
def test_a_loan_is_worth_what_its_pd_says_and_was_worth_what_its_outcome_says():
	portfolio = pd.DataFrame(
		{
			"probability_of_default": [0.25, 0.0],
			"loan_amount": [1_000.0, 2_000.0],
			"interest_rate_pct": 12.0,
			"term_months": 12.0,
			"grade": ["A", "B"],
			"is_charged_off": [0, 1],
			"declined": [True, False],
		}
	)

	values = value_loans(portfolio, PLAIN)

	assert len(values) == 2
	assert values.margin == pytest.approx([-0.05481, 0.02233], abs=2e-5)
	assert values.expected == pytest.approx([-54.81, 44.66], abs=0.03)
	assert values.realised == pytest.approx([22.33, -572.44], abs=0.03)
	assert values.probability_of_default.tolist() == [0.25, 0.0]
	assert values.declined.tolist() == [True, False]
	assert values.grade_term.tolist() == [0, 1]
