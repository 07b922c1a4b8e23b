"""Nodes of the `evaluation` pipeline that measure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from loantap.features.build import build_features
from loantap.model.leakage.options import FeatureEngineeringOptions
from loantap.model.scoring.points import tabulate_points
from loantap.model.training.predictions import CROSS_VALIDATION, join_out_of_fold
from loantap.model.validation.evaluation import EvaluationOptions, JudgedModel, make_plain
from loantap.model.validation.evaluation import evaluate_samples as evaluate
from loantap.model.validation.evaluation import trace_curves as trace
from loantap.model.validation.scorecard_report import report_scorecard as report_points
from loantap.model.validation.scorecard_report import report_stability
from loantap.model.validation.vintage_report import COMPLETE, ExternalResult
from loantap.model.validation.vintage_report import measure_external as compare_on_external
from loantap.model.validation.vintage_report import report_vintages as report
from loantap.model.validation.vintages import VintageAnalysis
from loantap.model.validation.vintages import analyse_vintages as measure_over_time
from loantap.policy.credit_policy import CreditPolicy
from loantap.policy.decisions import make_decider
from loantap.policy.fairness.model_audit import audit_groups
from loantap.policy.money.cash_flows import Economics
from loantap.policy.targets import decide_loans, impute_profit, tabulate_approvals
from loantap.portfolio.assembly import portfolio_origin
from loantap.portfolio.errors import InputError
from loantap.portfolio.identity import is_among
from loantap.portfolio.target import Target


@dataclass(frozen=True, slots=True)
class Audit:
	"""What is asked of a model that may be lent on; `external` is empty where no external sample is given."""

	scorecard: Mapping[str, Any]
	fairness: Mapping[str, Any]
	stability: Mapping[str, Any]
	vintages: VintageAnalysis
	external: Sequence[ExternalResult]


def unpack_model(model: JudgedModel, target: dict[str, Any]) -> tuple[JudgedModel, pd.DataFrame, Mapping[str, Any]]:
	"""The version that is evaluated, its predictions, and how it came about, loaded once."""
	if model.target != target["name"]:
		problem = f"its target is {model.target}, that of the loans by now {target['name']}"
		raise InputError(f"model {model}", problem, "Run `--pipelines training` with one of them")
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


def collect_metrics(reconciliation: pd.DataFrame, target: dict[str, Any], **blocks: dict[str, Any]) -> dict[str, Any]:
	"""`metrics.json`: the blocks of every model, the origin of the loans and their target."""
	return {**blocks, "origin": portfolio_origin(reconciliation), "target": target}


def report_thresholds(thresholds: pd.DataFrame, blocks: dict[str, Any]) -> dict[str, Any]:
	"""`thresholds.json`: the whole trade-off beside the threshold in use."""
	chosen = {name: blocks[CROSS_VALIDATION][name] for name in ("n", "threshold", "f2", "f2_decline_all", "default_rate")}
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
	judged: JudgedModel, loans: pd.DataFrame, policy: CreditPolicy, economics: Economics, evaluation: EvaluationOptions
) -> dict[str, Any]:
	"""What one model says of proxy groups, and whom F2 threshold and policy would approve."""
	predictions, obstacle = judged.predictions, judged.target.obstacle
	rows = join_out_of_fold(predictions, loans)
	decider = make_decider(policy, economics)
	approved, approvals = {"f2": ~rows["declined"].to_numpy()}, pd.DataFrame()
	if not obstacle:
		approved["policy"] = decide_loans(rows, loans, decider).approves
		profit = impute_profit(predictions, loans, decider.scenario, economics)
		approvals = tabulate_approvals(predictions, decide_loans(predictions, loans, decider).approves, profit)
	proxies = audit_groups(rows, approved, evaluation)
	return {
		"n": len(rows),
		"policy": f"{policy.name}, not applied: {obstacle}" if obstacle else policy.name,
		"approvals": make_plain(approvals),
		"proxies": make_plain(proxies),
	}


def measure_stability(predictions: pd.DataFrame, loans: pd.DataFrame) -> dict[str, Any]:
	"""AUC of one model per fold, and its PDs over populations."""
	report: dict[str, Any] = make_plain(report_stability(predictions, loans))
	return report


def analyse_vintages(
	model: JudgedModel,
	splits: pd.DataFrame,
	loans: pd.DataFrame,
	evaluation: EvaluationOptions,
	engineering: FeatureEngineeringOptions,
) -> VintageAnalysis:
	"""Figures of one model at each origin, and for loans of each issue year."""
	judged, window = splits.set_index("loan_id")["judged_at"], engineering.split.out_of_time
	if model.target.window_months:  # of every vintage the loans are all there
		window = window.model_copy(update={"outcomes_as_of": date.max})
	dated = loans[["loan_id", "is_charged_off", "issue_month", "term_months"]]
	dated = dated.join(judged, on="loan_id")
	return measure_over_time(model.predictions, dated, window, evaluation)


def measure_external(
	external_loans: pd.DataFrame | None, judged: JudgedModel, loans: pd.DataFrame, evaluation: EvaluationOptions
) -> list[ExternalResult]:
	"""Figures of one model on the external sample; none where none is given."""
	if external_loans is None:
		return []
	trained_on = loans[is_among(loans["loan_id"], join_out_of_fold(judged.lifetime_predictions, loans)["loan_id"])]
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
	reconciliation: pd.DataFrame, target: dict[str, Any], engineering: FeatureEngineeringOptions, **audits: Audit
) -> dict[str, Any]:
	"""`vintage_analysis.json`: rolling origin, vintages and external sample."""
	found = report(
		{model: audit.vintages for model, audit in audits.items()},
		{model: audit.external for model, audit in audits.items()},
		engineering.split.out_of_time,
		portfolio_origin(reconciliation),
	)
	if Target(target["name"]).window_months:
		found["caveats"]["vintages"] = COMPLETE
	return found | {"target": target}


def collect_fairness(reconciliation: pd.DataFrame, target: dict[str, Any], **audits: Audit) -> dict[str, Any]:
	"""`fairness.json`: every model that may be lent on, and the origin of the loans."""
	found = {model: audit.fairness for model, audit in audits.items()}
	return {"origin": portfolio_origin(reconciliation), "target": target, "models": found}


def collect_stability(reconciliation: pd.DataFrame, target: dict[str, Any], **audits: Audit) -> dict[str, Any]:
	"""`stability.json`: every model that may be lent on, and the origin of the loans."""
	found = {model: audit.stability for model, audit in audits.items()}
	return {"origin": portfolio_origin(reconciliation), "target": target, "models": found}
