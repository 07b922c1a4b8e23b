"""PDs of the samples a model is judged on, none of which it has seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model.options import SplitOptions, TrainingOptions
from loantap.model.predictions import cross_validate, predict_samples
from loantap.model.schemas import MODEL_INPUT_APPLICATION, PREDICTIONS
from loantap.model.search import SearchOutcome, fit_candidate, search
from loantap.model.splits import split_loans
from loantap.model.threshold import decline_cross_fitted, find_best_threshold
from tests.conftest import training_options

OPTIONS = training_options("application")
FEATURES = list(FEATURE_SETS["application"].features)
SPLIT = SplitOptions.model_validate(
    {
        "seed": 1,
        "test_share": 0.2,
        "out_of_time": {
            "snapshot": "2017-03-01",
            "term_months": 36,
            "first_month": "2013-01-01",
            "last_month": "2013-12-01",
        },
    }
)


@pytest.fixture(scope="module")
def model_input(simulated_loans: pd.DataFrame) -> pd.DataFrame:
    return (
        split_loans(simulated_loans, SPLIT)
        .assign(is_charged_off=simulated_loans["is_charged_off"])
        .join(build_features(simulated_loans, FEATURES))
        .astype({"loan_id": "str"})
    )


def learn(model_input: pd.DataFrame) -> SearchOutcome:
    train = model_input[model_input["split"] == "train"]
    return search(train[FEATURES], train["is_charged_off"], OPTIONS)


def judge(
    model_input: pd.DataFrame, outcome: SearchOutcome, options: TrainingOptions = OPTIONS
) -> pd.DataFrame:
    train = model_input[model_input["split"] == "train"]
    out_of_fold = cross_validate(train, FEATURES, outcome.best, options)
    return predict_samples(model_input, FEATURES, outcome, out_of_fold, options)


@pytest.fixture(scope="module")
def outcome(model_input: pd.DataFrame) -> SearchOutcome:
    return learn(model_input)


@pytest.fixture(scope="module")
def predictions(model_input: pd.DataFrame, outcome: SearchOutcome) -> pd.DataFrame:
    return judge(model_input, outcome)


def pick(predictions: pd.DataFrame, sample: str) -> pd.DataFrame:
    return predictions[predictions["sample"] == sample].set_index("loan_id")


def test_the_tables_are_as_declared(model_input: pd.DataFrame, predictions: pd.DataFrame) -> None:
    MODEL_INPUT_APPLICATION.validate(model_input)
    PREDICTIONS.validate(predictions)


def test_each_sample_holds_its_loans_with_their_outcomes(
    model_input: pd.DataFrame, predictions: pd.DataFrame
) -> None:
    loans = model_input.set_index("loan_id")
    expected = {
        "cv": loans["split"] == "train",
        "test": loans["split"] == "test",
        "out_of_time": loans["period"] == "later",
    }
    for sample, is_in in expected.items():
        rows = pick(predictions, sample)
        assert list(rows.index) == list(loans.index[is_in])
        assert list(rows["is_charged_off"]) == list(loans.loc[is_in, "is_charged_off"])
        assert rows["fold"].eq(-1).all() == (sample != "cv")


def test_the_threshold_is_tuned_on_the_training_split_only(predictions: pd.DataFrame) -> None:
    cv = pick(predictions, "cv")
    target, pd_ = cv["is_charged_off"].to_numpy(), cv["probability_of_default"].to_numpy()

    best, _ = find_best_threshold(target, pd_)

    assert cv["threshold"].eq(best).all()
    assert pick(predictions, "test")["threshold"].eq(best).all()


def test_in_cross_validation_each_fold_is_decided_at_the_threshold_of_the_others(
    predictions: pd.DataFrame,
) -> None:
    cv = pick(predictions, "cv")
    arrays = (cv[c].to_numpy() for c in ("is_charged_off", "probability_of_default", "fold"))

    assert list(cv["declined"]) == list(decline_cross_fitted(*arrays))


@pytest.mark.parametrize("sample", ["test", "out_of_time"])
def test_elsewhere_a_loan_is_declined_from_the_threshold_on(
    sample: str, predictions: pd.DataFrame
) -> None:
    rows = pick(predictions, sample)

    assert list(rows["declined"]) == list(rows["probability_of_default"] >= rows["threshold"])
    assert 0 < rows["declined"].mean() < 1


def test_nothing_said_depends_on_the_outcomes_of_the_test_split(
    model_input: pd.DataFrame, predictions: pd.DataFrame
) -> None:
    is_test = model_input["split"] == "test"
    turned = model_input.assign(
        is_charged_off=model_input["is_charged_off"].mask(
            is_test, 1 - model_input["is_charged_off"]
        )
    )

    again = judge(turned, learn(turned))

    for sample in ("cv", "test"):
        columns = ["probability_of_default", "threshold", "declined"]
        pd.testing.assert_frame_equal(
            pick(again, sample)[columns], pick(predictions, sample)[columns], check_exact=True
        )


def test_out_of_time_is_scored_by_a_model_of_earlier_months_only(
    model_input: pd.DataFrame, outcome: SearchOutcome, predictions: pd.DataFrame
) -> None:
    earlier, later = (model_input[model_input["period"] == p] for p in ("earlier", "later"))

    model = fit_candidate(earlier[FEATURES], earlier["is_charged_off"], outcome.best, OPTIONS)

    np.testing.assert_allclose(
        pick(predictions, "out_of_time")["probability_of_default"],
        model.predict_proba(later[FEATURES])[:, 1],
    )


@pytest.mark.parametrize("period", ["earlier", "later"])
def test_out_of_time_is_left_out_when_a_period_has_too_few_losses(
    period: str, model_input: pd.DataFrame, outcome: SearchOutcome
) -> None:
    lost = model_input["is_charged_off"].eq(1) & model_input["period"].eq(period)
    few = model_input.assign(period=model_input["period"].mask(lost, "neither"))

    predictions = judge(few, outcome)

    assert set(predictions["sample"]) == {"cv", "test"}
    PREDICTIONS.validate(predictions)


def test_a_threshold_that_is_given_is_used_everywhere(
    model_input: pd.DataFrame, outcome: SearchOutcome
) -> None:
    options = training_options("application", threshold=0.45)

    predictions = judge(model_input, outcome, options)

    assert predictions["threshold"].eq(0.45).all()
    expected = predictions["probability_of_default"] >= 0.45
    assert list(predictions["declined"]) == list(expected)
