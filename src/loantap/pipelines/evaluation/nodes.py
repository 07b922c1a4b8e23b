"""Nodes of the `evaluation` pipeline."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from loantap.features.definitions import FEATURE_SETS, FEATURES
from loantap.measures.intervals import wilson_bounds
from loantap.model.leakage.options import FeatureEngineeringOptions
from loantap.model.scoring.judged import JudgedModel
from loantap.model.training.options import TrainingOptions
from loantap.model.training.predictions import CROSS_VALIDATION, TEST, join_out_of_fold
from loantap.model.validation.ageing import Ageing
from loantap.model.validation.ageing import measure_ageing as measure_over_time
from loantap.model.validation.ageing_report import report_ageing as report
from loantap.model.validation.evaluation import evaluate_samples as evaluate
from loantap.model.validation.evaluation import trace_curves as trace
from loantap.model.validation.foreign import ForeignResult
from loantap.model.validation.foreign import measure_foreign as compare_with_foreign
from loantap.model.validation.options import EvaluationOptions
from loantap.policy.decisions import band_edges
from loantap.policy.options import ScoringOptions
from loantap.portfolio.assembly import portfolio_origin
from loantap.reporting.figures import evaluation as figures
from loantap.reporting.figures.ageing import plot_ageing as plot_over_time
from loantap.reporting.figures.frame import Title
from loantap.reporting.model_card.ageing_section import AgeingSection
from loantap.reporting.model_card.model_section import ModelSection
from loantap.reporting.model_card.page import DataSummary, FeatureRow, ModelCard, PolicyBand
from loantap.reporting.model_card.page import render_model_card as render

_LIMITS = (
    (
        "Out of time is kinder than life in one way: the outcomes of earlier loans are taken as "
        "known, though some were settled later. All else is chosen on earlier loans."
    ),
    (
        "Cross-validated figures are those of the candidate that was chosen on the same folds; "
        "calibration and thresholds are found on other folds. With everything chosen on other "
        "loans the figures differ in the third digit."
    ),
    (
        "Calibration holds for resolved loans of the years in the table. Where the economy or the "
        "product moves, levels move before ranks do."
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
    # Out of time repeats loans of the other two, which together are all of them.
    loans = blocks[CROSS_VALIDATION]["n"] + blocks[TEST]["n"]
    title = _entitle(training, loans, reconciliation)
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


def plot_before_and_after(
    calibration_report: dict[str, Any], reconciliation: pd.DataFrame, training: TrainingOptions
) -> Figure:
    """Reliability of one model out of fold, before and after calibration."""
    before, after = (
        pd.DataFrame(calibration_report[stage]["bins"]).rename(
            columns={"observed_rate_low": "low", "observed_rate_high": "high", "n": "loans"}
        )
        for stage in ("before", "after")
    )
    title = _entitle(training, calibration_report["before"]["n"], reconciliation)
    calibrated = calibration_report["calibrated"]
    return figures.plot_before_and_after(before, after, title, calibrated=calibrated)


def describe_model(
    blocks: dict[str, Any],
    candidates: pd.DataFrame,
    coefficients: pd.DataFrame,
    roc_curve: pd.DataFrame,
    precision_recall_curve: pd.DataFrame,
    reliability: pd.DataFrame,
    thresholds: pd.DataFrame,
    calibration_report: dict[str, Any],
    threshold_report: dict[str, Any],
    promotion: dict[str, Any],
    judged: JudgedModel,
    reconciliation: pd.DataFrame,
    training: TrainingOptions,
) -> ModelSection:
    """What the model card says about one model."""
    feature_set = FEATURE_SETS[training.feature_set]
    curves = (roc_curve, precision_recall_curve, reliability, thresholds)
    drawn = dict(zip(_KINDS, plot_curves(*curves, blocks, reconciliation, training), strict=True))
    drawn["before_and_after"] = plot_before_and_after(calibration_report, reconciliation, training)
    return ModelSection(
        name=training.name,
        version=str(judged),
        office=judged.tell_office(promoted=promotion["champion"]["promoted"]),
        purpose=feature_set.purpose,
        for_lending=feature_set.for_lending,
        blocks=blocks,
        candidates=candidates,
        coefficients=coefficients,
        figures=drawn,
        training=training.model_dump(mode="json"),
        calibration=calibration_report,
        trade_off=threshold_report,
        promotion=promotion,
    )


def measure_ageing(
    predictions: pd.DataFrame,
    splits: pd.DataFrame,
    loans: pd.DataFrame,
    evaluation: EvaluationOptions,
    engineering: FeatureEngineeringOptions,
) -> Ageing:
    """Figures of one model at each origin, and for loans of each issue year."""
    judged = splits.set_index("loan_id")["judged_at"]
    dated = loans[["loan_id", "is_charged_off", "issue_month", "term_months"]]
    dated = dated.join(judged, on="loan_id")
    return measure_over_time(predictions, dated, engineering.split.out_of_time, evaluation)


def measure_foreign(
    foreign_loans: pd.DataFrame | None,
    judged: JudgedModel,
    predictions: pd.DataFrame,
    loans: pd.DataFrame,
    evaluation: EvaluationOptions,
) -> list[ForeignResult]:
    """Figures of one model on the foreign portfolio; none where none is given."""
    if foreign_loans is None:
        return []
    trained_on = loans[loans["loan_id"].isin(join_out_of_fold(predictions, loans)["loan_id"])]
    return [compare_with_foreign(foreign_loans, trained_on, judged, evaluation)]


def plot_ageing(
    ageing: Ageing,
    reconciliation: pd.DataFrame,
    training: TrainingOptions,
    engineering: FeatureEngineeringOptions,
) -> Figure:
    """AUC per origin and vintage, default rate against PD per vintage."""
    term = engineering.split.out_of_time.term_months
    return _draw_ageing(training.name, ageing, term, portfolio_origin(reconciliation))


def report_ageing(
    reconciliation: pd.DataFrame, engineering: FeatureEngineeringOptions, **measured: Any
) -> dict[str, Any]:
    """`ageing.json`: rolling origin, vintages and foreign portfolio of the lending models."""
    return report(
        _strip(measured, "_ageing"),
        _strip(measured, "_foreign"),
        engineering.split.out_of_time,
        portfolio_origin(reconciliation),
    )


def describe_ageing(
    ageing_report: dict[str, Any],
    reconciliation: pd.DataFrame,
    engineering: FeatureEngineeringOptions,
    **measured: Ageing,
) -> AgeingSection:
    """What the model card says about ageing."""
    term, origin = engineering.split.out_of_time.term_months, portfolio_origin(reconciliation)
    drawn = {
        name: _draw_ageing(name, ageing, term, origin)
        for name, ageing in _strip(measured, "_ageing").items()
    }
    return AgeingSection(ageing_report, drawn)


def render_model_card(
    loans: pd.DataFrame,
    reconciliation: pd.DataFrame,
    leakage_report: dict[str, Any],
    ageing: AgeingSection,
    stability: dict[str, Any],
    fairness: dict[str, Any],
    predictions: pd.DataFrame,
    scoring: ScoringOptions,
    evaluation: EvaluationOptions,
    **models: Any,
) -> str:
    """The model card as one HTML page; `predictions` are those of the model that decides."""
    bands = band_edges(predictions, scoring.policy)
    card = ModelCard(
        as_of=evaluation.as_of,
        data=_summarise(loans, portfolio_origin(reconciliation)),
        models=list(_strip(models, "_section").values()),
        scorecards=_strip(models, "_scorecard_report"),
        features=[
            FeatureRow(f.name, f.phrase, f.uses, f.exclusion, f.adverse) for f in FEATURES.values()
        ],
        leakage_report=leakage_report,
        ageing=ageing,
        stability=stability,
        fairness=fairness,
        policy_version=scoring.policy.version,
        policy=[PolicyBand(b.decision, b.lowest_pd, b.highest_pd, b.meaning) for b in bands],
        limits=_LIMITS,
    )
    return render(card)


def _entitle(training: TrainingOptions, loans: int, reconciliation: pd.DataFrame) -> Title:
    return Title(
        namespace=training.name,
        origin=portfolio_origin(reconciliation),
        loans=loans,
        not_for_lending=not FEATURE_SETS[training.feature_set].for_lending,
    )


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


def _draw_ageing(name: str, ageing: Ageing, term_months: int, origin: str) -> Figure:
    loans = ageing.vintages.loc[ageing.vintages["term_months"].eq(term_months), "n"].sum()
    title = Title(namespace=name, origin=origin, loans=int(loans), not_for_lending=False)
    return plot_over_time(ageing.origins, ageing.vintages, term_months, title)


def _strip(named: dict[str, Any], suffix: str) -> dict[str, Any]:
    """What a name with this ending was given, by the rest of the name."""
    return {n.removesuffix(suffix): given for n, given in named.items() if n.endswith(suffix)}
