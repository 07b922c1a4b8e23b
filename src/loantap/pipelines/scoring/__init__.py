"""The `scoring` pipeline."""

from loantap.pipelines.scoring.pipeline import create_pipeline

__all__ = ["create_pipeline"]
