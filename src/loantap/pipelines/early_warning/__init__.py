"""The `early_warning` pipeline."""

from loantap.pipelines.early_warning.pipeline import create_pipeline

__all__ = ["create_pipeline"]
