"""The `check_sources` pipeline."""

from loantap.pipelines.check_sources.pipeline import create_pipeline

__all__ = ["create_pipeline"]
