"""Wiring of the `feature_engineering` pipeline."""

from kedro.pipeline import Node, Pipeline

from loantap.pipelines.feature_engineering import nodes

_INPUTS = ("benchmark_input", "lending_input", "application_input")
_SELECTED_FROM = ["labelled_loans", "features", "splits", "leakage_report"]


def create_pipeline() -> Pipeline:
    """From the clean portfolio to one gated model input per feature set."""
    return Pipeline(
        [
            Node(
                nodes.label_loans,
                ["loans", "running_loans", "loan_months", "reconciliation", "params:feature_engineering"],
                ["labelled_loans", "target"],
                name="label_loans",
            ),
            Node(nodes.build_features, "labelled_loans", "features", name="build_features"),
            Node(nodes.split_loans, ["labelled_loans", "params:feature_engineering"], "splits", name="split_loans"),
            Node(
                nodes.detect_leakage,
                ["labelled_loans", "features", "splits", "target", "params:feature_engineering"],
                "leakage_report",
                name="detect_leakage",
            ),
            Node(nodes.select_benchmark_features, _SELECTED_FROM, "benchmark_input", name="select_benchmark_features"),
            Node(nodes.select_lending_features, _SELECTED_FROM, "lending_input", name="select_lending_features"),
            Node(
                nodes.select_application_features,
                _SELECTED_FROM,
                "application_input",
                name="select_application_features",
            ),
        ],
        namespace="feature_engineering",
        inputs={"loans", "running_loans", "loan_months", "reconciliation"},
        outputs={"labelled_loans", "target", "splits", "leakage_report", *_INPUTS},
        parameters={"params:feature_engineering"},
        prefix_datasets_with_namespace=True,
        tags="feature_engineering",
    )
