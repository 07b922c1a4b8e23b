"""Nodes of the `evaluation` pipeline."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from loantap.features.definitions import FEATURE_SETS, FEATURES
from loantap.model.evaluation import evaluate_samples as evaluate
from loantap.model.evaluation import trace_curves as trace
from loantap.model.intervals import wilson_bounds
from loantap.model.options import EvaluationOptions, TrainingOptions
from loantap.model.predictions import CROSS_VALIDATION, TEST
from loantap.policy.decisions import band_edges
from loantap.policy.options import ScoringOptions
from loantap.portfolio.assembly import portfolio_origin
from loantap.reporting import evaluation_figures as figures
from loantap.reporting.model_card import DataSummary, FeatureRow, ModelCard, PolicyBand
from loantap.reporting.model_card import render_model_card as render
from loantap.reporting.model_section import ModelSection

_LIMITS = (
    (
        "Out of time is kinder than life: the outcomes of earlier loans are taken as known, "
        "though some were settled later, and the hyperparameters were chosen on a split that "
        "holds loans of the later period."
    ),
    (
        "Cross-validated figures are those of the candidate that was chosen on the same folds; "
        "the thresholds are found on other folds."
    ),
    (
        "PDs are not recalibrated: where SMOTE or class weights were chosen they are too high, "
        "which the calibration error shows."
    ),
)
_KINDS = ("roc", "precision_recall", "calibration", "thresholds")


def evaluate_samples(predictions: pd.DataFrame, options: EvaluationOptions) -> dict[str, Any]:
    """Metrics of one model: a block per sample."""
    return evaluate(predictions, options)


def trace_curves(
    predictions: pd.DataFrame, options: EvaluationOptions
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Tables behind the plots of one model."""
    curves = trace(predictions, options.calibration_bins)
    return curves.roc, curves.precision_recall, curves.reliability, curves.thresholds


def plot_curves(
    roc_curve: pd.DataFrame,
    precision_recall_curve: pd.DataFrame,
    reliability: pd.DataFrame,
    thresholds: pd.DataFrame,
    blocks: dict[str, Any],
    reconciliation: pd.DataFrame,
    training: TrainingOptions,
) -> tuple[Figure, Figure, Figure, Figure]:
    """ROC, precision-recall, calibration and threshold plot of one model."""
    present = {sample: block for sample, block in blocks.items() if block}
    title = figures.Title(
        namespace=training.name,
        origin=portfolio_origin(reconciliation),
        # Out of time repeats loans of the other two, which together are all of them.
        loans=blocks[CROSS_VALIDATION]["n"] + blocks[TEST]["n"],
        not_for_lending=not FEATURE_SETS[training.feature_set].for_lending,
    )
    cross_validated = blocks[CROSS_VALIDATION]
    return (
        figures.plot_roc(roc_curve, _pick(present, "roc_auc"), title),
        figures.plot_precision_recall(
            precision_recall_curve, _pick(present, "average_precision"), title
        ),
        figures.plot_calibration(reliability, title),
        figures.plot_thresholds(
            thresholds, cross_validated["threshold"], cross_validated["f2_decline_all"], title
        ),
    )


def collect_metrics(reconciliation: pd.DataFrame, **blocks: dict[str, Any]) -> dict[str, Any]:
    """`metrics.json`: the blocks of every model and the origin of the loans."""
    return {**blocks, "origin": portfolio_origin(reconciliation)}


def describe_model(
    blocks: dict[str, Any],
    candidates: pd.DataFrame,
    coefficients: pd.DataFrame,
    roc_curve: pd.DataFrame,
    precision_recall_curve: pd.DataFrame,
    reliability: pd.DataFrame,
    thresholds: pd.DataFrame,
    reconciliation: pd.DataFrame,
    training: TrainingOptions,
) -> ModelSection:
    """What the model card says about one model."""
    feature_set = FEATURE_SETS[training.feature_set]
    curves = (roc_curve, precision_recall_curve, reliability, thresholds)
    drawn = plot_curves(*curves, blocks, reconciliation, training)
    return ModelSection(
        name=training.name,
        purpose=feature_set.purpose,
        for_lending=feature_set.for_lending,
        blocks=blocks,
        candidates=candidates,
        coefficients=coefficients,
        figures=dict(zip(_KINDS, drawn, strict=True)),
    )


def render_model_card(
    loans: pd.DataFrame,
    reconciliation: pd.DataFrame,
    leakage_report: dict[str, Any],
    predictions: pd.DataFrame,
    scoring: ScoringOptions,
    evaluation: EvaluationOptions,
    **sections: ModelSection,
) -> str:
    """The model card as one HTML page; `predictions` are those of the model that decides."""
    bands = band_edges(predictions, scoring.policy)
    card = ModelCard(
        as_of=evaluation.as_of,
        data=_summarise(loans, portfolio_origin(reconciliation)),
        metrics={name: section.blocks for name, section in sections.items()},
        purposes={name: section.purpose for name, section in sections.items()},
        candidates={name: section.candidates for name, section in sections.items()},
        coefficients={name: section.coefficients for name, section in sections.items()},
        features=[FeatureRow(f.name, f.phrase, f.uses, f.exclusion) for f in FEATURES.values()],
        leakage_report=leakage_report,
        figures={name: section.figures for name, section in sections.items()},
        policy_version=scoring.policy.version,
        policy=[PolicyBand(b.decision, b.lowest_pd, b.highest_pd, b.meaning) for b in bands],
        limits=_LIMITS,
        not_for_lending=[name for name, s in sections.items() if not s.for_lending],
    )
    return render(card)


def _summarise(loans: pd.DataFrame, origin: str) -> DataSummary:
    charged_off = int(loans["is_charged_off"].sum())
    low, high = wilson_bounds(charged_off, len(loans))
    return DataSummary(
        origin=origin,
        loans=len(loans),
        charged_off=charged_off,
        default_rate=charged_off / len(loans),
        low=float(low),
        high=float(high),
        first_issue_month=loans["issue_month"].min().date(),
        last_issue_month=loans["issue_month"].max().date(),
    )


def _pick(blocks: dict[str, Any], figure: str) -> dict[str, float]:
    return {sample: block[figure] for sample, block in blocks.items()}
