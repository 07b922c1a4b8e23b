"""Wiring of the `insights` pipeline: segments, recommendations, pages."""

from kedro.pipeline import Node, Pipeline

from loantap.pipelines.insights import nodes, offers_nodes


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
            Node(
                nodes.render_eda,
                ["loans", "reconciliation", "params:insights"],
                "eda_page",
                name="render_eda",
            ),
            # Offers: products by segment, counterfactual odds ratios, concentration by region.
            Node(
                offers_nodes.tabulate_products,
                ["loans", "application_model@judged", "params:economics", "params:offers"],
                "products",
                name="tabulate_products",
            ),
            Node(
                offers_nodes.estimate_counterfactuals,
                ["loans", "params:offers"],
                "counterfactuals",
                name="estimate_counterfactuals",
            ),
            Node(
                offers_nodes.measure_concentration,
                ["loans", "application_model@judged", "params:economics", "params:offers"],
                "concentration",
                name="measure_concentration",
            ),
        ],
        namespace="insights",
        inputs={"loans", "reconciliation", "application_model"},
        parameters={"params:economics", "params:insights", "params:offers"},
        prefix_datasets_with_namespace=True,
        tags="insights",
    )
