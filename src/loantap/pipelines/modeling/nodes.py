"""Nodes of the `modeling` pipeline, one instance per model."""

from __future__ import annotations

import pandas as pd

from loantap.features.definitions import FEATURE_SETS
from loantap.model.options import TrainingOptions
from loantap.model.predictions import cross_validate
from loantap.model.predictions import predict_samples as predict
from loantap.model.search import SearchOutcome, search
from loantap.model.splits import Split
from loantap.model.trained import TrainedModel, make_trained_model, tabulate_coefficients
from loantap.portfolio.assembly import portfolio_origin


def search_hyperparameters(
    model_input: pd.DataFrame, options: TrainingOptions
) -> tuple[SearchOutcome, pd.DataFrame]:
    """Choose a candidate by cross-validated F2 on the training split, and fit it there."""
    train = _train(model_input)
    outcome = search(train[_features(options)], train["is_charged_off"], options)
    return outcome, outcome.candidates


def predict_out_of_fold(
    model_input: pd.DataFrame, outcome: SearchOutcome, options: TrainingOptions
) -> pd.DataFrame:
    """PDs of training loans by models that did not see them, and the F2 threshold."""
    return cross_validate(_train(model_input), _features(options), outcome.best, options)


def package_model(
    model_input: pd.DataFrame,
    outcome: SearchOutcome,
    out_of_fold: pd.DataFrame,
    reconciliation: pd.DataFrame,
    options: TrainingOptions,
) -> tuple[TrainedModel, pd.DataFrame]:
    """The model as it is registered, and its coefficients."""
    features = _train(model_input)[_features(options)]
    origin = portfolio_origin(reconciliation)
    trained = make_trained_model(outcome, features, out_of_fold, origin, options)
    return trained, tabulate_coefficients(trained.pipeline)


def predict_samples(
    model_input: pd.DataFrame,
    outcome: SearchOutcome,
    out_of_fold: pd.DataFrame,
    options: TrainingOptions,
) -> pd.DataFrame:
    """PDs and F2 decisions in cross-validation, on the test split and out of time."""
    return predict(model_input, _features(options), outcome, out_of_fold, options)


def _train(model_input: pd.DataFrame) -> pd.DataFrame:
    return model_input[model_input["split"].eq(Split.TRAIN)]


def _features(options: TrainingOptions) -> list[str]:
    return list(FEATURE_SETS[options.feature_set].features)
