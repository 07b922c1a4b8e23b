import pytest
from pydantic import ValidationError

from loantap.model.training.options import (
	ChallengerOptions,
	OutOfTimeOptions,
	PromotionOptions,
	SplitOptions,
	TrainingOptions,
)
from loantap.model.validation.evaluation import EvaluationOptions
from tests.conftest import CHALLENGER, OUT_OF_TIME, training_options

GIVEN = {
	OutOfTimeOptions: OUT_OF_TIME,
	SplitOptions: {"seed": 1, "test_share": 0.1, "out_of_time": OUT_OF_TIME},
	ChallengerOptions: CHALLENGER,
	PromotionOptions: training_options().promotion.model_dump(),
	TrainingOptions: training_options().model_dump(exclude_unset=True),
	EvaluationOptions: {"seed": 1, "as_of": "2026-11-23", "resamples": 500, "calibration_bins": 10},
}


@pytest.mark.parametrize(
	("group", "name", "value"),
	[
		(OutOfTimeOptions, "term_months", 121),
		(OutOfTimeOptions, "min_outcomes", 9),
		(OutOfTimeOptions, "first_origin", "2012-07-15"),
		(OutOfTimeOptions, "last_month", "2013-12-31"),
		(OutOfTimeOptions, "outcomes_as_of", "2017-03-02"),
		(SplitOptions, "test_share", 0),
		(SplitOptions, "test_share", 1),
		(PromotionOptions, "resamples", 99),
		(PromotionOptions, "confidence", 1),
		(PromotionOptions, "confidence", 0.4),
		(PromotionOptions, "tolerated_ece", 0),
		(PromotionOptions, "min_charge_offs", 0),
		(TrainingOptions, "challenger", {"trees": 10}),
		(TrainingOptions, "promotion", None),
		(TrainingOptions, "feature_set", "everything"),
		(TrainingOptions, "balancing", []),
		(TrainingOptions, "l1_ratios", [0.5]),
		(TrainingOptions, "folds", 1),
		(TrainingOptions, "threshold", 1),
		(TrainingOptions, "pd_quantiles", [1.5]),
		(EvaluationOptions, "resamples", 99),
	],
)
def test_a_bad_option_is_refused_by_name(group, name, value):
	with pytest.raises(ValidationError, match=name):
		group.model_validate(GIVEN[group] | {name: value})


def test_loans_whose_contract_ended_in_the_month_before_the_snapshot_are_judged():
	# December 2013 and 36 months: the last instalment is due in December 2016.
	OutOfTimeOptions.model_validate(OUT_OF_TIME | {"outcomes_as_of": "2017-01-01"})


@pytest.mark.parametrize(
	("change", "said"),
	[
		({"outcomes_as_of": "2016-12-01"}, "not matured as of"),
		({"term_months": 60}, "not matured as of"),
		({"last_month": "2014-03-01"}, "not matured as of"),
		({"first_origin": "2014-01-01"}, "first_origin is after last_month"),
	],
)
def test_loans_that_have_not_matured_and_an_origin_after_the_last_loans_judged_are_refused(change, said):
	with pytest.raises(ValidationError, match=said):
		OutOfTimeOptions.model_validate(OUT_OF_TIME | change)


def test_the_grid_is_every_combination_in_the_order_given():
	options = training_options(balancing=("smote", "none"), l1_ratios=(0, 1), inverse_penalties=(1, 100))

	assert [c.label for c in options.candidates] == [
		"smote L2 C=1",
		"smote L2 C=100",
		"smote L1 C=1",
		"smote L1 C=100",
		"none L2 C=1",
		"none L2 C=100",
		"none L1 C=1",
		"none L1 C=100",
	]
