"""Options of split, leakage gate, training and evaluation are validated, then frozen."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from loantap.model.options import (
    EvaluationOptions,
    LeakageOptions,
    OutOfTimeOptions,
    SplitOptions,
    TrainingOptions,
)
from tests.conftest import training_options

OUT_OF_TIME = {
    "snapshot": "2017-03-01",
    "term_months": 36,
    "first_month": "2013-01-01",
    "last_month": "2013-12-01",
}
GIVEN: dict[type[BaseModel], dict[str, object]] = {
    OutOfTimeOptions: OUT_OF_TIME,
    SplitOptions: {"seed": 1, "test_share": 0.1, "out_of_time": OUT_OF_TIME},
    LeakageOptions: {
        "seed": 1,
        "folds": 5,
        "highest_auc": 0.75,
        "plausible_default_rates": [0.005, 0.7],
        "false_discovery_rate": 0.01,
    },
    TrainingOptions: training_options().model_dump(exclude_unset=True),
    EvaluationOptions: {
        "seed": 1,
        "as_of": "2026-11-23",
        "resamples": 500,
        "calibration_bins": 10,
    },
}
every_group = pytest.mark.parametrize("group", GIVEN, ids=lambda g: g.__name__)


@every_group
def test_good_options_are_taken_and_frozen(group: type[BaseModel]) -> None:
    options = group.model_validate(GIVEN[group])

    with pytest.raises(ValidationError, match="frozen"):
        setattr(options, next(iter(GIVEN[group])), 1)


@every_group
def test_an_unknown_option_is_refused_by_name(group: type[BaseModel]) -> None:
    with pytest.raises(ValidationError, match="speed"):
        group.model_validate(GIVEN[group] | {"speed": 1})


@every_group
def test_a_missing_option_is_refused_by_name(group: type[BaseModel]) -> None:
    for name in GIVEN[group]:
        with pytest.raises(ValidationError, match=name):
            group.model_validate({k: v for k, v in GIVEN[group].items() if k != name})


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        (OutOfTimeOptions, "term_months", 48),
        (SplitOptions, "test_share", 0),
        (SplitOptions, "test_share", 1),
        (LeakageOptions, "folds", 1),
        (LeakageOptions, "highest_auc", 0.5),
        (LeakageOptions, "plausible_default_rates", [0.1]),
        (LeakageOptions, "false_discovery_rate", 0),
        (TrainingOptions, "feature_set", "everything"),
        (TrainingOptions, "balancing", []),
        (TrainingOptions, "balancing", ["undersampling"]),
        (TrainingOptions, "l1_ratios", [0.5]),
        (TrainingOptions, "inverse_penalties", [0]),
        (TrainingOptions, "folds", 1),
        (TrainingOptions, "max_iterations", 0),
        (TrainingOptions, "threshold", 1),
        (TrainingOptions, "pd_quantiles", [1.5]),
        (EvaluationOptions, "resamples", 99),
        (EvaluationOptions, "calibration_bins", 1),
    ],
)
def test_a_bad_option_is_refused_by_name(group: type[BaseModel], name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=name):
        group.model_validate(GIVEN[group] | {name: value})


class TestOutOfTime:
    def test_a_window_that_has_just_matured_is_taken(self) -> None:
        # December 2013 and 36 months: matured in December 2016.
        OutOfTimeOptions.model_validate(OUT_OF_TIME | {"snapshot": "2016-12-01"})

    @pytest.mark.parametrize(
        "change",
        [{"snapshot": "2016-11-01"}, {"term_months": 60}, {"last_month": "2014-04-01"}],
    )
    def test_a_window_that_has_not_matured_is_refused(self, change: dict[str, object]) -> None:
        with pytest.raises(ValidationError, match="not matured at the snapshot"):
            OutOfTimeOptions.model_validate(OUT_OF_TIME | change)

    def test_a_window_that_ends_before_it_begins_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="first_month is after last_month"):
            OutOfTimeOptions.model_validate(OUT_OF_TIME | {"first_month": "2014-01-01"})


def test_the_grid_is_every_combination_in_the_order_given() -> None:
    options = training_options(
        balancing=("smote", "none"), l1_ratios=(0, 1), inverse_penalties=(1, 100)
    )

    assert [c.label for c in options.candidates] == [
        "smote L2 C=1", "smote L2 C=100", "smote L1 C=1", "smote L1 C=100",
        "none L2 C=1", "none L2 C=100", "none L1 C=1", "none L1 C=100",
    ]  # fmt: skip
