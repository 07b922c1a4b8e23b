"""Wiring of the `check_sources` pipeline."""

from kedro.pipeline import Pipeline

from loantap.pipelines.check_sources.nodes import plan_inspection, require_usable_systems
from loantap.wiring import make_node


def create_pipeline() -> Pipeline:
	"""Look at each system; fail where one cannot be used."""
	return Pipeline(
		[
			make_node(
				plan_inspection,
				["source_loans", "source_applications", "source_loan_events", "warehouse_output", "params:ingestion"],
				"system_findings",
			),
			make_node(require_usable_systems, "system_findings", None),
		],
		namespace="check_sources",
		inputs={"source_loans", "source_applications", "source_loan_events"},
		parameters={"params:ingestion"},
		prefix_datasets_with_namespace=True,
		tags="check_sources",
	)
