"""Kedro datasets of our own: source tables, raw snapshots, staged files, registered models."""

from loantap.datasets.champions import ChampionsDataset
from loantap.datasets.registered_model import RegisteredModelDataset
from loantap.datasets.snapshot import SnapshotDataset
from loantap.datasets.source_table import SourceTableDataset
from loantap.datasets.staged import StagedDataset
from loantap.datasets.table_file import BatchedDataset, TableFileDataset

__all__ = [
    "BatchedDataset",
    "ChampionsDataset",
    "RegisteredModelDataset",
    "SnapshotDataset",
    "SourceTableDataset",
    "StagedDataset",
    "TableFileDataset",
]
