"""Wiring of the `ingestion` pipeline."""

from kedro.pipeline import Pipeline

from loantap.pipelines.ingestion import nodes
from loantap.wiring import make_node

_QUARANTINES = (
	"loans_quarantine",
	"unmatched_loans",
	"applications_quarantine",
	"unmatched_applications",
	"loan_events_quarantine",
	"unmatched_loan_events",
)


def create_pipeline() -> Pipeline:
	"""Extract, clean, join, account for every row, and write the new tables back."""
	return Pipeline(
		[
			make_node(nodes.extract_loans, ["source_loans", "params:ingestion"], "raw_loans"),
			make_node(nodes.extract_applications, ["source_applications", "params:ingestion"], "raw_applications"),
			make_node(nodes.extract_loan_events, ["source_loan_events", "params:ingestion"], "raw_loan_events"),
			make_node(nodes.clean_loans, ["raw_loans", "params:ingestion"], ["typed_loans", "loans_quarantine"]),
			make_node(
				nodes.clean_applications,
				["raw_applications", "params:ingestion"],
				["typed_applications", "applications_quarantine"],
			),
			make_node(
				nodes.clean_loan_events,
				["raw_loan_events", "params:ingestion"],
				["typed_loan_events", "loan_events_quarantine"],
			),
			make_node(
				nodes.join_portfolio,
				["typed_loans", "typed_applications"],
				["loans", "running_loans", "unmatched_loans", "unmatched_applications"],
			),
			make_node(
				nodes.build_loan_months,
				["typed_loan_events", "loans", "running_loans"],
				["loan_months", "unmatched_loan_events"],
			),
			make_node(nodes.list_exceptional_instalments, "loans", "instalment_exceptions"),
			make_node(
				nodes.reconcile,
				{
					"raw_loans": "raw_loans",
					"raw_applications": "raw_applications",
					"raw_loan_events": "raw_loan_events",
					"loans": "loans",
					"running_loans": "running_loans",
					"loan_months": "loan_months",
					**{name: name for name in _QUARANTINES},
					"options": "params:ingestion",
				},
				"reconciliation",
			),
			make_node(
				nodes.publish_to_warehouse, ["loans", "reconciliation"], ["warehouse_portfolio", "warehouse_reconciliation"]
			),
			make_node(nodes.publish_loan_months, ["loan_months", "reconciliation"], "warehouse_loan_months"),
		],
		namespace="ingestion",
		inputs={"source_loans", "source_applications", "source_loan_events"},
		outputs={"loans", "running_loans", "loan_months", "reconciliation"},
		parameters={"params:ingestion"},
		prefix_datasets_with_namespace=True,
		tags="ingestion",
	)
