"""Wiring of the `scoring` pipeline: applications in, decisions out, also to the warehouse."""

from kedro.pipeline import Node, Pipeline

from loantap.pipelines.scoring.nodes import publish_decisions, score_applications


def create_pipeline() -> Pipeline:
    """Score a file of applications with the champion, and write the decisions back."""
    return Pipeline(
        [
            Node(
                score_applications,
                ["applications", "lending_model", "params:scoring"],
                "scores",
                name="score_applications",
            ),
            Node(
                publish_decisions,
                ["scores", "applications", "params:scoring"],
                "warehouse_decisions",
                name="publish_decisions",
            ),
        ],
        tags="scoring",
    )
