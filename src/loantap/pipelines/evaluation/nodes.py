"""Nodes of the `evaluation` pipeline that measure."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from loantap.features.build import build_features
from loantap.model.leakage.options import FeatureEngineeringOptions
from loantap.model.scoring.judged import JudgedModel
from loantap.model.scoring.points import tabulate_points
from loantap.model.training.predictions import CROSS_VALIDATION, join_out_of_fold
from loantap.model.validation.audit import Audit
from loantap.model.validation.evaluation import evaluate_samples as evaluate
from loantap.model.validation.evaluation import trace_curves as trace
from loantap.model.validation.external import ExternalResult
from loantap.model.validation.external import measure_external as compare_on_external
from loantap.model.validation.options import EvaluationOptions
from loantap.model.validation.plain import make_plain
from loantap.model.validation.scorecard_report import report_scorecard as report_points
from loantap.model.validation.stability_report import report_stability
from loantap.model.validation.vintage_report import report_vintages as report
from loantap.model.validation.vintages import VintageAnalysis
from loantap.model.validation.vintages import analyse_vintages as measure_over_time
from loantap.policy.approvals import decide_loans, tabulate_approvals
from loantap.policy.credit_policy import CreditPolicy
from loantap.policy.decisions import make_decider
from loantap.policy.fairness.model_audit import audit_groups
from loantap.policy.money.scenarios import Economics
from loantap.portfolio.assembly import portfolio_origin
from loantap.portfolio.identity import is_among


def unpack_model(model: JudgedModel) -> tuple[JudgedModel, pd.DataFrame, Mapping[str, Any]]:
    """The version that is evaluated, its predictions, and how it came about, loaded once."""
    return model, model.predictions, model.training_report


def evaluate_samples(predictions: pd.DataFrame, options: EvaluationOptions) -> dict[str, Any]:
    """Metrics of one model: a block per sample."""
    return evaluate(predictions, options)


def trace_curves(
    predictions: pd.DataFrame, options: EvaluationOptions
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Tables behind the plots of one model."""
    curves = trace(predictions, options.calibration_bins)
    return curves.roc, curves.precision_recall, curves.reliability, curves.thresholds


def collect_metrics(reconciliation: pd.DataFrame, **blocks: dict[str, Any]) -> dict[str, Any]:
    """`metrics.json`: the blocks of every model and the origin of the loans."""
    return {**blocks, "origin": portfolio_origin(reconciliation)}


def report_thresholds(thresholds: pd.DataFrame, blocks: dict[str, Any]) -> dict[str, Any]:
    """`thresholds.json`: the whole trade-off beside the threshold in use."""
    chosen = {
        name: blocks[CROSS_VALIDATION][name] for name in ("n", "threshold", "f2", "f2_decline_all", "default_rate")
    }
    return {"chosen": chosen, "thresholds": make_plain(thresholds)}


def tabulate_scorecard(judged: JudgedModel, predictions: pd.DataFrame, loans: pd.DataFrame) -> pd.DataFrame:
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
    report: dict[str, Any] = make_plain(report_points(judged.lending_scorer, scorecard, trained_on, as_of))
    return report


def audit_fairness(
    predictions: pd.DataFrame,
    loans: pd.DataFrame,
    policy: CreditPolicy,
    economics: Economics,
    evaluation: EvaluationOptions,
) -> dict[str, Any]:
    """What one model says of proxy groups, and whom F2 threshold and policy would approve."""
    rows = join_out_of_fold(predictions, loans)
    decider = make_decider(policy, economics)
    approved = {"f2": ~rows["declined"].to_numpy(), "policy": decide_loans(rows, loans, decider).approves}
    proxies = audit_groups(rows, approved, evaluation)
    return {
        "n": len(rows),
        "policy": policy.name,
        "approvals": make_plain(tabulate_approvals(predictions, decide_loans(predictions, loans, decider).approves)),
        "proxies": make_plain(proxies),
    }


def measure_stability(predictions: pd.DataFrame, loans: pd.DataFrame) -> dict[str, Any]:
    """AUC of one model per fold, and its PDs over populations."""
    report: dict[str, Any] = make_plain(report_stability(predictions, loans))
    return report


def analyse_vintages(
    predictions: pd.DataFrame,
    splits: pd.DataFrame,
    loans: pd.DataFrame,
    evaluation: EvaluationOptions,
    engineering: FeatureEngineeringOptions,
) -> VintageAnalysis:
    """Figures of one model at each origin, and for loans of each issue year."""
    judged = splits.set_index("loan_id")["judged_at"]
    dated = loans[["loan_id", "is_charged_off", "issue_month", "term_months"]]
    dated = dated.join(judged, on="loan_id")
    return measure_over_time(predictions, dated, engineering.split.out_of_time, evaluation)


def measure_external(
    external_loans: pd.DataFrame | None,
    judged: JudgedModel,
    predictions: pd.DataFrame,
    loans: pd.DataFrame,
    evaluation: EvaluationOptions,
) -> list[ExternalResult]:
    """Figures of one model on the external sample; none where none is given."""
    if external_loans is None:
        return []
    trained_on = loans[is_among(loans["loan_id"], join_out_of_fold(predictions, loans)["loan_id"])]
    return [compare_on_external(external_loans, trained_on, judged, evaluation)]


def gather_audits(
    scorecard: dict[str, Any],
    fairness: dict[str, Any],
    stability: dict[str, Any],
    vintages: VintageAnalysis,
    external: list[ExternalResult],
) -> Audit:
    """The audits of one model, in one."""
    return Audit(scorecard, fairness, stability, vintages, external)


def report_vintages(
    reconciliation: pd.DataFrame, engineering: FeatureEngineeringOptions, **audits: Audit
) -> dict[str, Any]:
    """`vintage_analysis.json`: rolling origin, vintages and external sample."""
    return report(
        {model: audit.vintages for model, audit in audits.items()},
        {model: audit.external for model, audit in audits.items()},
        engineering.split.out_of_time,
        portfolio_origin(reconciliation),
    )


def collect_fairness(reconciliation: pd.DataFrame, **audits: Audit) -> dict[str, Any]:
    """`fairness.json`: every model that may be lent on, and the origin of the loans."""
    found = {model: audit.fairness for model, audit in audits.items()}
    return {"origin": portfolio_origin(reconciliation), "models": found}


def collect_stability(reconciliation: pd.DataFrame, **audits: Audit) -> dict[str, Any]:
    """`stability.json`: every model that may be lent on, and the origin of the loans."""
    found = {model: audit.stability for model, audit in audits.items()}
    return {"origin": portfolio_origin(reconciliation), "models": found}
