"""Nodes of the `evaluation` pipeline that draw, describe and render."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from loantap.features.build import columns_used
from loantap.features.definitions import DECIDES, FEATURE_SETS, FEATURES
from loantap.model.leakage.options import FeatureEngineeringOptions
from loantap.model.training.options import TrainingOptions
from loantap.model.training.predictions import CROSS_VALIDATION
from loantap.model.validation.evaluation import EvaluationOptions, JudgedModel
from loantap.model.validation.vintages import VintageAnalysis
from loantap.pipelines.evaluation.nodes import Audit
from loantap.policy.credit_policy import CreditPolicy
from loantap.policy.decisions import make_decider
from loantap.policy.money.cash_flows import Economics
from loantap.portfolio.assembly import portfolio_origin
from loantap.reporting.figures import evaluation as figures
from loantap.reporting.figures.evaluation import plot_vintages as plot_over_time
from loantap.reporting.figures.frame import Title
from loantap.reporting.model_card.model_section import ModelSection
from loantap.reporting.model_card.page import (
	BeyondIncome,
	CardData,
	CardModels,
	DataSummary,
	FeatureRow,
	ModelCard,
	PolicyLimit,
	PolicySummary,
)
from loantap.reporting.model_card.page import render_model_card as render
from loantap.reporting.model_card.sections import VintageSection

# Terms, and rates in percent, for which the card says up to which PD a loan is approved.
_SHOWN_TERMS, _SHOWN_RATES = (36, 60), (8, 12, 16, 20, 24)
_LIMITS = (
	(
		"Cross-validated figures are those of the candidate that was chosen on the same folds; "
		"calibration and thresholds are found on other folds. With everything chosen on other "
		"loans the figures differ in the third decimal."
	),
	(
		"Calibration holds for loans like those in the table, of its years. Where the economy or the "
		"product moves, levels move before ranks do."
	),
)


def draw_model(
	roc_curve: pd.DataFrame,
	precision_recall_curve: pd.DataFrame,
	reliability: pd.DataFrame,
	thresholds: pd.DataFrame,
	blocks: dict[str, Any],
	training_report: dict[str, Any],
	reconciliation: pd.DataFrame,
	training: TrainingOptions,
) -> tuple[Figure, Figure, Figure, Figure, Figure]:
	"""The plots of one model."""
	title = _entitle(training, None, reconciliation)
	present = {sample: block for sample, block in blocks.items() if block}
	roc = figures.plot_roc(roc_curve, _pick(present, "roc_auc"), title)
	precision_recall = figures.plot_precision_recall(precision_recall_curve, _pick(present, "average_precision"), title)
	calibration = figures.plot_calibration(reliability, title)
	out_of_fold = blocks[CROSS_VALIDATION]
	trade_off = figures.plot_thresholds(
		thresholds,
		out_of_fold["threshold"],
		out_of_fold["f2_decline_all"],
		_entitle(training, out_of_fold["n"], reconciliation),
	)
	before_and_after = _draw_before_and_after(training_report["calibration"], reconciliation, training)
	return roc, precision_recall, calibration, trade_off, before_and_after


def describe_model(
	roc: Figure,
	precision_recall: Figure,
	calibration: Figure,
	thresholds: Figure,
	before_and_after: Figure,
	training_report: dict[str, Any],
	threshold_report: dict[str, Any],
	judged: JudgedModel,
	training: TrainingOptions,
) -> ModelSection:
	"""What the model card says about one model."""
	feature_set = FEATURE_SETS[training.feature_set]
	promotion = training_report["promotion"]
	return ModelSection(
		name=training.name,
		version=str(judged),
		standing=judged.tell_standing(promoted=promotion["champion"]["promoted"]),
		purpose=feature_set.purpose,
		decides=training.name == DECIDES,
		for_lending=feature_set.for_lending,
		candidates=pd.DataFrame(training_report["candidates"]),
		coefficients=pd.DataFrame(training_report["coefficients"]),
		figures={
			"roc": roc,
			"precision_recall": precision_recall,
			"calibration": calibration,
			"thresholds": thresholds,
			"before_and_after": before_and_after,
		},
		training=training.model_dump(mode="json"),
		calibration=training_report["calibration"],
		trade_off=threshold_report,
		promotion=promotion,
	)


def draw_vintages(
	analysis: VintageAnalysis,
	reconciliation: pd.DataFrame,
	training: TrainingOptions,
	engineering: FeatureEngineeringOptions,
) -> Figure:
	"""AUC per origin and vintage, default rate against PD per vintage."""
	term = engineering.split.out_of_time.term_months
	loans = analysis.vintages.loc[analysis.vintages["term_months"].eq(term), "n"].sum()
	title = _entitle(training, int(loans), reconciliation)
	return plot_over_time(analysis.origins, analysis.vintages, term, title)


def describe_vintages(vintage_report: dict[str, Any], **drawn: Figure) -> VintageSection:
	"""What the model card says about time: out of time, vintages, the external sample."""
	return VintageSection(vintage_report, drawn)


def describe_data(
	loans: pd.DataFrame,
	reconciliation: pd.DataFrame,
	leakage_report: dict[str, Any],
	target: dict[str, Any],
	policy: CreditPolicy,
	economics: Economics,
) -> CardData:
	"""What the model card says about loans, features and policy."""
	decider = make_decider(policy, economics)
	limits = [decider.limit(rate, term) for term in _SHOWN_TERMS for rate in _SHOWN_RATES]
	return CardData(
		summary=_summarise(loans, portfolio_origin(reconciliation), target),
		features=[FeatureRow(f.name, f.phrase, f.uses, f.exclusion, f.adverse) for f in FEATURES.values()],
		leakage_report=leakage_report,
		policy=PolicySummary(
			policy.name,
			policy.short_digest,
			policy.approved_by or "",
			policy.scenario,
			policy.rules.min_margin,
			policy.rules.default_price,
			policy.rules.max_probability_of_default,
			policy.rules.max_loan_amount,
			[PolicyLimit(x.term_months, x.rate_pct, x.approve_below, x.decline_above) for x in limits],
		),
	)


def collect_models(**models: ModelSection | Audit) -> CardModels:
	"""What the model card says about every model, in one."""
	return CardModels(
		sections=[given for given in models.values() if isinstance(given, ModelSection)],
		scorecards={model: given.scorecard for model, given in models.items() if isinstance(given, Audit)},
	)


def render_model_card(
	data: CardData,
	models: CardModels,
	vintages: VintageSection,
	metrics: dict[str, Any],
	stability: dict[str, Any],
	fairness: dict[str, Any],
	evaluation: EvaluationOptions,
) -> str:
	"""The model card as one HTML page."""
	return render(
		ModelCard(
			as_of=evaluation.as_of,
			data=data,
			models=models,
			vintages=vintages,
			metrics=metrics,
			stability=stability,
			fairness=fairness,
			limits=_LIMITS,
		)
	)


def _draw_before_and_after(
	calibration_report: dict[str, Any], reconciliation: pd.DataFrame, training: TrainingOptions
) -> Figure:
	before, after = (
		pd.DataFrame(calibration_report[stage]["bins"]).rename(
			columns={"observed_rate_low": "low", "observed_rate_high": "high", "n": "loans"}
		)
		for stage in ("before", "after")
	)
	title = _entitle(training, calibration_report["before"]["n"], reconciliation)
	calibrated = calibration_report["calibrated"]
	return figures.plot_before_and_after(before, after, title, calibrated=calibrated)


def _entitle(training: TrainingOptions, loans: int | None, reconciliation: pd.DataFrame) -> Title:
	return Title(
		namespace=training.name,
		origin=portfolio_origin(reconciliation),
		loans=loans,
		not_for_lending=not FEATURE_SETS[training.feature_set].for_lending,
	)


def _summarise(loans: pd.DataFrame, origin: str, target: dict[str, Any]) -> DataSummary:
	return DataSummary(
		origin=origin,
		target=target,
		first_issue_month=loans["issue_month"].min().date(),
		last_issue_month=loans["issue_month"].max().date(),
		beyond_income=_count_beyond_income(loans),
		unfilled={
			name: [feature.name for feature in FEATURES.values() if name in feature.uses]
			for name in columns_used()
			if loans[name].isna().all()
		},
	)


def _count_beyond_income(loans: pd.DataFrame) -> BeyondIncome:
	beyond = loans[loans["dti_pct"].gt(100)]
	joint = beyond["application_type"].eq("JOINT")
	return BeyondIncome(len(beyond), int(joint.sum()), float(loans["dti_pct"].max() / 100))


def _pick(blocks: dict[str, Any], figure: str) -> dict[str, figures.Score]:
	return {sample: figures.Score(block[figure], block["n"]) for sample, block in blocks.items()}
