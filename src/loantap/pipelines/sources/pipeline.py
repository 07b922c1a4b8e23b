"""Wiring of the `sources` pipeline."""

from kedro.pipeline import Pipeline

from loantap.pipelines.sources.nodes import account_for_portfolio, make_portfolio, simulate_loan_events, split_by_system
from loantap.wiring import make_node


def create_pipeline() -> Pipeline:
	"""Fill the three embedded source databases with a portfolio."""
	return Pipeline(
		[
			make_node(
				make_portfolio,
				inputs=["portfolio_file", "params:sources"],
				outputs=["portfolio", "portfolio_quarantine", "simulated_truth"],
			),
			make_node(
				account_for_portfolio,
				inputs=["portfolio", "portfolio_quarantine", "simulated_truth"],
				outputs="portfolio_account",
			),
			make_node(
				split_by_system, inputs=["portfolio", "params:sources"], outputs=["source_loans", "source_applications"]
			),
			make_node(
				simulate_loan_events, inputs=["portfolio", "simulated_truth", "params:sources"], outputs="source_loan_events"
			),
		],
		namespace="sources",
		outputs={"source_loans", "source_applications", "source_loan_events"},
		parameters={"params:sources"},
		prefix_datasets_with_namespace=True,
		tags="sources",
	)
