"""Wiring of the `feature_engineering` pipeline."""

from kedro.pipeline import Pipeline

from loantap.pipelines.feature_engineering import nodes
from loantap.wiring import make_node

_INPUTS = ("benchmark_input", "lending_input", "application_input")
_SELECTED_FROM = ["labelled_loans", "features", "splits", "leakage_report"]


def create_pipeline() -> Pipeline:
	"""From the clean portfolio to one gated model input per feature set."""
	return Pipeline(
		[
			make_node(
				nodes.label_loans,
				["loans", "running_loans", "loan_months", "reconciliation", "params:feature_engineering"],
				["labelled_loans", "target"],
			),
			make_node(nodes.build_features, "labelled_loans", "features"),
			make_node(nodes.split_loans, ["labelled_loans", "params:feature_engineering"], "splits"),
			make_node(
				nodes.detect_leakage,
				[
					*("labelled_loans", "features", "splits", "target", "reconciliation", "last_training"),
					"params:feature_engineering",
				],
				"leakage_report",
			),
			make_node(nodes.select_benchmark_features, _SELECTED_FROM, "benchmark_input"),
			make_node(nodes.select_lending_features, _SELECTED_FROM, "lending_input"),
			make_node(nodes.select_application_features, _SELECTED_FROM, "application_input"),
		],
		namespace="feature_engineering",
		inputs={"loans", "running_loans", "loan_months", "reconciliation"},
		outputs={"labelled_loans", "target", "splits", "leakage_report", *_INPUTS},
		parameters={"params:feature_engineering"},
		prefix_datasets_with_namespace=True,
		tags="feature_engineering",
	)
