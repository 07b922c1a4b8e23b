"""The `evaluation` pipeline."""

from loantap.pipelines.evaluation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
