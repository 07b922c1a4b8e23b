"""Wiring of the `scoring` pipeline."""

from kedro.pipeline import Node, Pipeline

from loantap.pipelines.scoring.nodes import account_for_applications, publish_decisions, score_applications


def create_pipeline() -> Pipeline:
    """Score a file of applications with the champion, and write the decisions back."""
    return Pipeline(
        [
            Node(
                score_applications,
                [
                    "applications",
                    "lending_model@champion",
                    "params:scoring",
                    "params:policy",
                    "params:economics",
                    "recommendations",
                ],
                "scores",
                name="score_applications",
            ),
            Node(
                account_for_applications,
                ["scores", "applications", "params:scoring"],
                "scoring_account",
                name="account_for_applications",
            ),
            Node(
                publish_decisions,
                ["scores", "scoring_account", "params:scoring"],
                "warehouse_decisions",
                name="publish_decisions",
            ),
        ],
        namespace="scoring",
        inputs={"applications", "lending_model", "recommendations"},
        outputs={"scores"},
        parameters={"params:economics", "params:policy", "params:scoring"},
        prefix_datasets_with_namespace=True,
        tags="scoring",
    )
