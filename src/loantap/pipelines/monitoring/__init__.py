"""The `monitoring` pipeline."""

from loantap.pipelines.monitoring.pipeline import create_pipeline

__all__ = ["create_pipeline"]
