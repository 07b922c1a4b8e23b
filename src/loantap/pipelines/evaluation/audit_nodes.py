"""Nodes of the `evaluation` pipeline that make the evidence beside metrics and curves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from loantap.features.build import build_features
from loantap.model.scoring.judged import JudgedModel
from loantap.model.scoring.points import tabulate_points
from loantap.model.training.options import TrainingOptions
from loantap.model.training.predictions import CROSS_VALIDATION, join_out_of_fold
from loantap.model.validation.calibration_report import (
    report_calibration as report_before_and_after,
)
from loantap.model.validation.options import EvaluationOptions
from loantap.model.validation.plain import make_plain
from loantap.model.validation.scorecard_report import report_scorecard as report_points
from loantap.model.validation.stability_report import report_stability
from loantap.policy.decisions import Decision, band_edges
from loantap.policy.fairness import audit_groups
from loantap.policy.options import ScoringOptions
from loantap.portfolio.assembly import portfolio_origin


def report_calibration(
    out_of_fold: pd.DataFrame, training: TrainingOptions, evaluation: EvaluationOptions
) -> dict[str, Any]:
    """`calibration.json`: reliability of the logistic regression before and after its line."""
    report: dict[str, Any] = make_plain(
        report_before_and_after(out_of_fold, training.calibrated, evaluation)
    )
    return report


def report_thresholds(thresholds: pd.DataFrame, blocks: dict[str, Any]) -> dict[str, Any]:
    """`thresholds.json`: the whole trade-off beside the threshold in use."""
    chosen = {
        name: blocks[CROSS_VALIDATION][name]
        for name in ("n", "threshold", "f2", "f2_decline_all", "default_rate")
    }
    return {"chosen": chosen, "thresholds": make_plain(thresholds)}


def tabulate_scorecard(
    judged: JudgedModel, predictions: pd.DataFrame, loans: pd.DataFrame
) -> pd.DataFrame:
    """Points of every attribute, in bands of the training loans."""
    scorer = judged.lending_scorer
    trained_on = join_out_of_fold(predictions, loans)
    features = build_features(trained_on, scorer.feature_set.features)
    return tabulate_points(scorer.scorecard, features)


def report_scorecard(
    judged: JudgedModel,
    scorecard: pd.DataFrame,
    predictions: pd.DataFrame,
    loans: pd.DataFrame,
    evaluation: EvaluationOptions,
) -> dict[str, Any]:
    """`scorecard.json`: points per attribute, what scores meant, a made-up application."""
    trained_on = join_out_of_fold(predictions, loans)
    as_of = pd.Timestamp(evaluation.as_of)
    report: dict[str, Any] = make_plain(
        report_points(judged.lending_scorer, scorecard, trained_on, as_of)
    )
    return report


def audit_fairness(
    predictions: pd.DataFrame,
    loans: pd.DataFrame,
    scoring: ScoringOptions,
    evaluation: EvaluationOptions,
) -> dict[str, Any]:
    """What one model says of proxy groups, and whom F2 threshold and policy would approve."""
    rows = join_out_of_fold(predictions, loans)
    bands = band_edges(predictions, scoring.policy)
    starts = [band.lowest_pd for band in bands[1:]]
    approves = np.array([band.decision == Decision.APPROVE for band in bands])
    band_of = np.searchsorted(starts, rows["probability_of_default"], side="right")
    approved = {"f2": ~rows["declined"].to_numpy(), "policy": approves[band_of]}
    proxies = audit_groups(rows, approved, evaluation)
    return {"n": len(rows), "policy": scoring.policy.version, "proxies": make_plain(proxies)}


def measure_stability(
    predictions: pd.DataFrame, loans: pd.DataFrame, evaluation: EvaluationOptions
) -> dict[str, Any]:
    """AUC of one model per fold, and its PDs over populations."""
    report: dict[str, Any] = make_plain(report_stability(predictions, loans, evaluation))
    return report


def collect_fairness(reconciliation: pd.DataFrame, **models: dict[str, Any]) -> dict[str, Any]:
    """`fairness.json`: every model that may be lent on, and the origin of the loans."""
    return {"origin": portfolio_origin(reconciliation), "models": models}


def collect_stability(reconciliation: pd.DataFrame, **models: dict[str, Any]) -> dict[str, Any]:
    """`stability.json`: every model that may be lent on, and the origin of the loans."""
    return {"origin": portfolio_origin(reconciliation), "models": models}
