"""The `ingestion` pipeline."""

from loantap.pipelines.ingestion.pipeline import create_pipeline

__all__ = ["create_pipeline"]
