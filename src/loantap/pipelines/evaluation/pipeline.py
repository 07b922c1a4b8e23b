"""Wiring of the `evaluation` pipeline."""

from collections.abc import Iterable

from kedro.pipeline import Node, Pipeline

from loantap.features.definitions import DECIDES, FEATURE_SETS, MODELS
from loantap.pipelines.evaluation import card_nodes, nodes
from loantap.wiring import make_node

_LENT_ON = [model for model, name in MODELS.items() if FEATURE_SETS[name].for_lending]
_OPTIONS = ("params:evaluation", "params:feature_engineering", "params:policy", "params:economics")
_SHARED = ("labelled_loans", "reconciliation", "splits", "leakage_report", "target")
_AUDITS = ["scorecard_report", "fairness", "stability", "vintages", "external"]
_CURVES = ["roc_curve", "precision_recall_curve", "reliability", "thresholds"]
_PLOTS = ["roc_plot", "precision_recall_plot", "calibration_plot", "thresholds_plot", "before_and_after_plot"]


def create_template() -> Pipeline:
	"""What is measured and drawn for every model."""
	return Pipeline(
		[
			make_node(nodes.unpack_model, ["model@judged", "target"], ["judged", "predictions", "training_report"]),
			make_node(nodes.evaluate_samples, ["predictions", "params:evaluation"], "metrics"),
			make_node(nodes.trace_curves, ["predictions", "params:evaluation"], _CURVES),
			make_node(nodes.report_thresholds, ["thresholds", "metrics"], "threshold_report"),
			make_node(
				card_nodes.draw_model, [*_CURVES, "metrics", "training_report", "reconciliation", "params:modeling"], _PLOTS
			),
			make_node(
				card_nodes.describe_model,
				[*_PLOTS, "training_report", "threshold_report", "judged", "params:modeling"],
				"section",
			),
		]
	)


def create_audit_template() -> Pipeline:
	"""What is asked besides of every model that may be lent on: points, groups, time."""
	return Pipeline(
		[
			make_node(nodes.tabulate_scorecard, ["judged", "predictions", "loans"], "scorecard"),
			make_node(
				nodes.report_scorecard, ["judged", "scorecard", "predictions", "loans", "params:evaluation"], "scorecard_report"
			),
			make_node(
				nodes.audit_fairness, ["judged", "loans", "params:policy", "params:economics", "params:evaluation"], "fairness"
			),
			make_node(nodes.measure_stability, ["predictions", "loans"], "stability"),
			make_node(
				nodes.analyse_vintages,
				["judged", "splits", "loans", "params:evaluation", "params:feature_engineering"],
				"vintages",
			),
			make_node(nodes.measure_external, ["external_loans", "judged", "loans", "params:evaluation"], "external"),
			make_node(nodes.gather_audits, _AUDITS, "audit"),
			make_node(
				card_nodes.draw_vintages,
				["vintages", "reconciliation", "params:modeling", "params:feature_engineering"],
				"vintage_plot",
			),
		]
	)


def create_pipeline() -> Pipeline:
	"""The templates for each model, then all of them in one file and one page."""
	return Pipeline(
		[*(_instantiate(model) for model in MODELS), *_collect()],
		namespace="evaluation",
		inputs={*_SHARED, *_of(MODELS, "model")},
		outputs={"model_card"},
		parameters={*_OPTIONS, *(f"params:modeling.{model}" for model in MODELS)},
		prefix_datasets_with_namespace=True,
		tags="evaluation",
	)


def _instantiate(model: str) -> Pipeline:
	template = create_template()
	shared, handed_on, options = ["reconciliation", "target"], ["metrics", "section"], ["params:evaluation"]
	if model in _LENT_ON:
		template += create_audit_template()
		shared = [*_SHARED, "external_loans"]
		shared = [name for name in shared if name not in {"labelled_loans", "leakage_report"}]
		handed_on += ["audit", "vintage_plot"]
		options = list(_OPTIONS)
	labelled = {"loans": "labelled_loans"} if model in _LENT_ON else {}
	if model == DECIDES:
		handed_on.append("predictions")
	return Pipeline(
		template,
		namespace=model,
		# What is shared with others has no dot in its name: plain nodes may not use one.
		inputs={name: name for name in shared} | {"model": f"{model}_model"} | labelled,
		outputs={name: f"{model}_{name}" for name in handed_on},
		parameters={name: name for name in options} | {"params:modeling": f"params:modeling.{model}"},
		prefix_datasets_with_namespace=True,
	)


def _of(models: Iterable[str], *datasets: str) -> dict[str, str]:
	return {f"{model}_{name}": f"{model}_{name}" for model in models for name in datasets}


def _collect() -> list[Node]:
	origin = {name: name for name in ("reconciliation", "target")}
	audits = {model: f"{model}_audit" for model in _LENT_ON}
	return [
		make_node(nodes.collect_metrics, origin | {model: f"{model}_metrics" for model in MODELS}, "metrics"),
		make_node(nodes.collect_fairness, origin | audits, "fairness"),
		make_node(nodes.collect_stability, origin | audits, "stability"),
		make_node(
			nodes.report_vintages, origin | audits | {"engineering": "params:feature_engineering"}, "vintage_analysis"
		),
		make_node(
			card_nodes.describe_vintages,
			{"vintage_report": "vintage_analysis"} | {m: f"{m}_vintage_plot" for m in _LENT_ON},
			"vintage_section",
		),
		make_node(
			card_nodes.describe_data,
			["labelled_loans", "reconciliation", "leakage_report", "target", "params:policy", "params:economics"],
			"card_data",
		),
		make_node(card_nodes.collect_models, _of(MODELS, "section") | audits, "card_models"),
		make_node(
			card_nodes.render_model_card,
			["card_data", "card_models", "vintage_section", "metrics", "stability", "fairness", "params:evaluation"],
			"model_card",
		),
	]
