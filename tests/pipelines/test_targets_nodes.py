from dataclasses import replace

import pandas as pd
import pytest

from loantap.model.validation.evaluation import JudgedModel
from loantap.pipelines.insights.nodes import check_policy_targets
from loantap.portfolio.errors import InputError
from tests.policy.shipped import ECONOMICS, make_policy

# At 12% over 36 months a loan earns up to a PD of .146, at 24% up to more than .25.
LOANS = pd.DataFrame(
	{
		"loan_id": ["a", "b", "c", "d", "e"],
		"loan_amount": [30_000.0, 10_000, 10_000, 10_000, 10_000],
		"interest_rate_pct": [12.0, 12, 24, 12, 12],
		"term_months": [36.0] * 5,
		"state": ["NY", "NY", "CA", "CA", "CA"],
	}
)
PREDICTIONS = pd.DataFrame(
	{
		"loan_id": ["e", "d", "c", "b", "a", "a"],
		"sample": ["test", "cv", "cv", "cv", "cv", "out_of_time"],
		"probability_of_default": [0.3, 0.146, 0.25, 0.25, 0.05, 0.9],
		"is_charged_off": [1, 0, 1, 1, 0, 1],
	}
)
JUDGED = JudgedModel("loantap-lending", "1", is_new=True, champion="", predictions=PREDICTIONS, training_report={})


def test_only_loans_of_the_cross_validation_count():
	checks = check_policy_targets(JUDGED, LOANS, make_policy(), ECONOMICS).set_index("target")

	# a and c are approved, d is referred, b is declined; c was charged off.
	assert checks["reached"].to_dict() == {
		"review_capacity": 0.25,
		"min_approval_rate": 0.75,
		"max_default_rate": 0.5,
		"max_concentration": 0.75,
	}
	assert checks["n"].tolist() == [4, 4, 2, 2]


def test_a_policy_that_was_changed_after_it_was_approved_is_refused():
	changed = make_policy().model_copy(update={"version": "2"})

	with pytest.raises(InputError, match="was changed after"):
		check_policy_targets(JUDGED, LOANS, changed, ECONOMICS)


def test_pds_of_a_window_are_none_for_a_policy():
	window = replace(JUDGED, training_report={"promotion": {"target": {"name": "dpd_90_within_24"}}})
	with pytest.raises(InputError, match="loantap-lending version 1: its target is dpd_90_within_24; the policy"):
		check_policy_targets(window, LOANS, make_policy(), ECONOMICS)
