"""The `modeling` pipeline."""

from loantap.pipelines.modeling.pipeline import create_pipeline

__all__ = ["create_pipeline"]
