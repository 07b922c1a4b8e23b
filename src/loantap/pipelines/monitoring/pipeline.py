"""Wiring of the `monitoring` pipeline."""

from kedro.pipeline import Pipeline

from loantap.pipelines.monitoring import nodes
from loantap.wiring import make_node

_OPTIONS = "params:monitoring"
_REPORTED = ("monitored", "watched", "history_before", "service_counts", "report_before")
_CHECKED = ("drift", "performance", "conduct", "sources", "service")


def create_pipeline() -> Pipeline:
	"""Hold recent decisions against the training, the months before, and what became of the loans."""
	return Pipeline(
		[
			make_node(
				nodes.gather_decisions,
				["decision_reader", "monitored_applications", "scores", "lending_model@champion", _OPTIONS],
				["monitored", "older", "watched"],
			),
			make_node(nodes.check_drift, ["monitored", "watched", _OPTIONS], "drift"),
			make_node(
				nodes.check_performance,
				["monitored", "older", "labelled_loans", "watched", "params:policy", "params:economics", _OPTIONS],
				"performance",
			),
			make_node(nodes.check_conduct, ["monitored", _OPTIONS], "conduct"),
			make_node(nodes.check_sources, ["source_states", "history_before", "reconciliation", _OPTIONS], "sources"),
			make_node(nodes.check_service, ["service_counts", "report_before", _OPTIONS], "service"),
			make_node(
				nodes.report_monitoring,
				{"options": _OPTIONS} | {name: name for name in (*_REPORTED, *_CHECKED)},
				["report", "history", "alerts"],
			),
			make_node(nodes.render_monitoring, ["report", "history"], "page"),
		],
		namespace="monitoring",
		inputs={"scores", "lending_model", "labelled_loans", "reconciliation"},
		parameters={_OPTIONS, "params:economics", "params:policy"},
		prefix_datasets_with_namespace=True,
		tags="monitoring",
	)
