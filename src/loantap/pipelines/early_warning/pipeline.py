"""Wiring of the `early_warning` pipeline."""

from kedro.pipeline import Pipeline

from loantap.pipelines.early_warning import nodes
from loantap.wiring import make_node


def create_pipeline() -> Pipeline:
	"""The book, the panel of months, the hazard, the watch-list and help."""
	return Pipeline(
		[
			make_node(
				nodes.build_loan_panel, ["loan_months", "loans", "running_loans", "params:early_warning"], "loan_panel"
			),
			make_node(nodes.measure_book, ["loan_months", "loans", "running_loans", "params:early_warning"], "book_figures"),
			make_node(nodes.render_book, ["book_figures", "reconciliation", "params:early_warning"], "book_page"),
			make_node(nodes.find_outcomes, ["loan_months", "loans", "running_loans"], "loan_outcomes"),
			make_node(nodes.fit_hazard, ["loan_panel", "loan_outcomes", "params:early_warning"], "hazard_model"),
			make_node(
				nodes.judge_hazard, ["hazard_model", "loan_panel", "loan_outcomes", "params:early_warning"], "hazard_metrics"
			),
			make_node(
				nodes.list_loans,
				["loan_panel", "loan_outcomes", "running_loans", "hazard_model", "params:economics", "params:early_warning"],
				["watchlist", "watchlist_situations", "watchlist_account"],
			),
			make_node(nodes.plan_help, ["watchlist", "loan_panel", "params:economics", "params:early_warning"], "help_plans"),
			make_node(
				nodes.render_watchlist,
				["watchlist", "help_plans", "watchlist_account", "reconciliation", "params:early_warning"],
				"watchlist_page",
			),
		],
		namespace="early_warning",
		inputs={"loan_months", "loans", "running_loans", "reconciliation"},
		outputs={"watchlist", "help_plans"},
		parameters={"params:early_warning", "params:economics"},
		prefix_datasets_with_namespace=True,
		tags="early_warning",
	)
