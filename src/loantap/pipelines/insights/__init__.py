"""The `insights` pipeline."""

from loantap.pipelines.insights.pipeline import create_pipeline

__all__ = ["create_pipeline"]
