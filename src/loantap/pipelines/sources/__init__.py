"""The `sources` pipeline."""

from loantap.pipelines.sources.pipeline import create_pipeline

__all__ = ["create_pipeline"]
