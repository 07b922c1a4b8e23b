"""Kedro datasets of our own: source tables, raw snapshots, staged files, registered models."""

from loantap.datasets.registered_model import RegisteredModelDataset
from loantap.datasets.snapshot import SnapshotDataset
from loantap.datasets.source_table import SourceTableDataset
from loantap.datasets.staged import StagedDataset

__all__ = ["RegisteredModelDataset", "SnapshotDataset", "SourceTableDataset", "StagedDataset"]
