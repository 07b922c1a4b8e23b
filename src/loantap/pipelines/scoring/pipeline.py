"""Wiring of the `scoring` pipeline: a file of applications in, decisions out."""

from kedro.pipeline import Node, Pipeline

from loantap.pipelines.scoring.nodes import score_applications


def create_pipeline() -> Pipeline:
    """Score a file of applications with the champion."""
    return Pipeline(
        [
            Node(
                score_applications,
                ["applications", "lending_model", "params:scoring"],
                "scores",
                name="score_applications",
            )
        ],
        tags="scoring",
    )
