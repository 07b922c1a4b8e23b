"""Nodes of the `feature_engineering` pipeline."""

from __future__ import annotations

from typing import Any

import pandas as pd

from loantap.features.build import build_features as build_from_applications
from loantap.features.definitions import FEATURE_SETS
from loantap.model.leakage.findings import require_no_leak
from loantap.model.leakage.gate import examine_portfolio
from loantap.model.options import FeatureEngineeringOptions
from loantap.model.splits import Split
from loantap.model.splits import split_loans as assign_splits


def build_features(loans: pd.DataFrame) -> pd.DataFrame:
    """Every feature of every loan."""
    features = build_from_applications(loans)
    features.insert(0, "loan_id", loans["loan_id"])
    return features


def split_loans(loans: pd.DataFrame, options: FeatureEngineeringOptions) -> pd.DataFrame:
    """Random split and out-of-time period of each loan."""
    return assign_splits(loans, options.split)


def detect_leakage(
    loans: pd.DataFrame,
    features: pd.DataFrame,
    splits: pd.DataFrame,
    options: FeatureEngineeringOptions,
) -> dict[str, Any]:
    """What each feature tells of the outcome, and whether it could have told it at decision."""
    is_train = splits["split"].eq(Split.TRAIN)
    return examine_portfolio(loans, features.drop(columns="loan_id"), is_train, options.leakage)


def _select(
    name: str,
    loans: pd.DataFrame,
    features: pd.DataFrame,
    splits: pd.DataFrame,
    report: dict[str, Any],
) -> pd.DataFrame:
    feature_set = FEATURE_SETS[name]
    require_no_leak(feature_set, report)
    return splits.assign(is_charged_off=loans["is_charged_off"]).join(
        features[list(feature_set.features)]
    )


def select_benchmark_features(
    loans: pd.DataFrame, features: pd.DataFrame, splits: pd.DataFrame, report: dict[str, Any]
) -> pd.DataFrame:
    """Model input of `benchmark`: everything, not for lending."""
    return _select("benchmark", loans, features, splits, report)


def select_lending_features(
    loans: pd.DataFrame, features: pd.DataFrame, splits: pd.DataFrame, report: dict[str, Any]
) -> pd.DataFrame:
    """Model input of `lending`, once the gate lets all its features pass."""
    return _select("lending", loans, features, splits, report)


def select_application_features(
    loans: pd.DataFrame, features: pd.DataFrame, splits: pd.DataFrame, report: dict[str, Any]
) -> pd.DataFrame:
    """Model input of `application`, once the gate lets all its features pass."""
    return _select("application", loans, features, splits, report)
