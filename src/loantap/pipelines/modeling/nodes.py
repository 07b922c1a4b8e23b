"""Nodes of the `modeling` pipeline, one instance per model."""

from __future__ import annotations

import pandas as pd

from loantap.features.definitions import FEATURE_SETS
from loantap.model.options import TrainingOptions
from loantap.model.predictions import CROSS_VALIDATION
from loantap.model.predictions import predict_samples as predict
from loantap.model.search import SearchOutcome, search
from loantap.model.splits import Split
from loantap.model.trained import TrainedModel, make_trained_model, tabulate_coefficients
from loantap.portfolio.assembly import portfolio_origin


def search_hyperparameters(
    model_input: pd.DataFrame, options: TrainingOptions
) -> tuple[SearchOutcome, pd.DataFrame]:
    """Choose a candidate by cross-validated F2 on the training split, and fit it there."""
    train = model_input[model_input["split"].eq(Split.TRAIN)]
    features = list(FEATURE_SETS[options.feature_set].features)
    outcome = search(train[features], train["is_charged_off"], options)
    return outcome, outcome.candidates


def predict_samples(
    model_input: pd.DataFrame, outcome: SearchOutcome, options: TrainingOptions
) -> pd.DataFrame:
    """PDs and F2 decisions in cross-validation, on the test split and out of time."""
    features = list(FEATURE_SETS[options.feature_set].features)
    return predict(model_input, features, outcome, options)


def package_model(
    model_input: pd.DataFrame,
    outcome: SearchOutcome,
    predictions: pd.DataFrame,
    reconciliation: pd.DataFrame,
    options: TrainingOptions,
) -> tuple[TrainedModel, pd.DataFrame]:
    """The model as it is registered, and its coefficients."""
    train = model_input[model_input["split"].eq(Split.TRAIN)]
    features = train[list(FEATURE_SETS[options.feature_set].features)]
    cross_validated = predictions[predictions["sample"].eq(CROSS_VALIDATION)]
    origin = portfolio_origin(reconciliation)
    trained = make_trained_model(outcome, features, cross_validated, origin, options)
    return trained, tabulate_coefficients(trained.pipeline)
