"""Nodes of the `feature_engineering` pipeline."""

import logging
from collections.abc import Iterator
from typing import Any

import pandas as pd

from loantap.features.build import build_features as build_from_applications
from loantap.features.build import columns_used
from loantap.features.definitions import FEATURE_SETS
from loantap.features.outcomes import label_loans as label
from loantap.features.outcomes import require_real_months
from loantap.model.leakage.findings import require_no_leak
from loantap.model.leakage.gate import examine_portfolio
from loantap.model.leakage.last_training import LastTrainings
from loantap.model.leakage.options import FeatureEngineeringOptions
from loantap.model.training.splits import Split, require_enough
from loantap.model.training.splits import split_loans as assign_splits
from loantap.portfolio.assembly import portfolio_origin
from loantap.tables.ordered import SomeTable
from loantap.tables.rows import MappedFile, Table, map_rows, to_frame

logger = logging.getLogger(__name__)


def label_loans(
	loans: pd.DataFrame | Table,
	running_loans: pd.DataFrame,
	loan_months: SomeTable,
	reconciliation: pd.DataFrame,
	options: FeatureEngineeringOptions,
) -> tuple[pd.DataFrame, dict[str, Any]]:
	"""The loans that have the target, with it, and their account."""
	require_real_months(options.target, reconciliation)
	labelled, account = label(to_frame(loans), running_loans, loan_months, options.target)
	if account["left_out"]:
		logger.warning("Target %s", account["words"])
	return labelled, account


def build_features(loans: pd.DataFrame | Table) -> Iterator[pd.DataFrame | MappedFile]:
	"""Every feature of every loan."""
	yield from map_rows(loans, _build_batch, ("loan_id", *columns_used()))


def _build_batch(loans: pd.DataFrame, _first_row: int) -> pd.DataFrame:
	features = build_from_applications(loans)
	# Files hold texts that repeat as categories.
	features.insert(0, "loan_id", loans["loan_id"].astype("str"))
	return features


def split_loans(loans: pd.DataFrame | Table, options: FeatureEngineeringOptions) -> pd.DataFrame:
	"""Random split and out-of-time period of each loan."""
	portfolio = to_frame(loans)
	require_enough(portfolio, options.split.min_outcomes)
	return assign_splits(portfolio, options.split)


def detect_leakage(
	loans: pd.DataFrame | Table,
	features: pd.DataFrame,
	splits: pd.DataFrame,
	target: dict[str, Any],
	reconciliation: pd.DataFrame,
	last_training: LastTrainings,
	options: FeatureEngineeringOptions,
) -> dict[str, Any]:
	"""What each feature tells of the outcome, and whether it could have told it at decision."""
	is_train = splits["split"].eq(Split.TRAIN)
	own = features.drop(columns="loan_id")
	last = last_training[portfolio_origin(reconciliation)]()
	if last and last.target.name != target["name"]:
		last = None
	return {"target": target} | examine_portfolio(to_frame(loans), own, is_train, options.leakage, last)


def _select(
	name: str, loans: pd.DataFrame | Table, features: pd.DataFrame, splits: pd.DataFrame, report: dict[str, Any]
) -> pd.DataFrame:
	feature_set = FEATURE_SETS[name]
	require_no_leak(feature_set, report)
	return splits.assign(is_charged_off=to_frame(loans)["is_charged_off"]).join(features[list(feature_set.features)])


def select_benchmark_features(
	loans: pd.DataFrame | Table, features: pd.DataFrame, splits: pd.DataFrame, report: dict[str, Any]
) -> pd.DataFrame:
	"""Model input of `benchmark`: everything, not for lending."""
	return _select("benchmark", loans, features, splits, report)


def select_lending_features(
	loans: pd.DataFrame | Table, features: pd.DataFrame, splits: pd.DataFrame, report: dict[str, Any]
) -> pd.DataFrame:
	"""Model input of `lending`, once the gate lets all its features pass."""
	return _select("lending", loans, features, splits, report)


def select_application_features(
	loans: pd.DataFrame | Table, features: pd.DataFrame, splits: pd.DataFrame, report: dict[str, Any]
) -> pd.DataFrame:
	"""Model input of `application`, once the gate lets all its features pass."""
	return _select("application", loans, features, splits, report)
