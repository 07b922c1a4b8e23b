"""The `offers` pipeline."""

from loantap.pipelines.offers.pipeline import create_pipeline

__all__ = ["create_pipeline"]
