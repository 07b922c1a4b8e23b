"""Wiring of the `insights` pipeline: segments, recommendations, pages."""

from kedro.pipeline import Node, Pipeline

from loantap.pipelines.insights import fairness_nodes, nodes


def create_pipeline() -> Pipeline:
    """What the finished portfolio says, in a table, a file and two pages."""
    return Pipeline(
        [
            Node(
                nodes.impute_profits,
                ["loans", "params:economics"],
                "profits",
                name="impute_profits",
            ),
            Node(
                nodes.summarise_segments,
                ["loans", "params:insights"],
                "segments",
                name="summarise_segments",
            ),
            Node(
                nodes.recommend,
                ["segments", "reconciliation", "params:insights"],
                "recommendations",
                name="recommend",
            ),
            Node(
                nodes.render_insights,
                ["segments", "recommendations", "loans", "reconciliation", "params:insights"],
                "insights_page",
                name="render_insights",
            ),
            # Fairness of policies.
            Node(
                fairness_nodes.audit_policies,
                [
                    "lending_model@judged",
                    "approvals",
                    "loans",
                    "profits",
                    "params:economics",
                    "params:insights",
                ],
                ["fairness_by_policy", "fairness_frontier"],
                name="audit_policies",
            ),
            Node(
                nodes.render_eda,
                ["loans", "reconciliation", "params:insights"],
                "eda_page",
                name="render_eda",
            ),
        ],
        namespace="insights",
        inputs={"lending_model", "loans", "reconciliation"},
        parameters={"params:economics", "params:insights"},
        prefix_datasets_with_namespace=True,
        tags="insights",
    )
