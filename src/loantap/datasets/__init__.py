"""Kedro datasets of our own: source tables, raw snapshots, staged files, registered models."""

from loantap.datasets.champion import ChampionDataset
from loantap.datasets.champions import ChampionsDataset
from loantap.datasets.figure import FigureDataset
from loantap.datasets.inspection import InspectionDataset
from loantap.datasets.judged_model import JudgedModelDataset
from loantap.datasets.last_training import LastTrainingDataset
from loantap.datasets.monitored import DecisionsDataset, ServiceCountsDataset, SnapshotStatesDataset
from loantap.datasets.registered_model import RegisteredModelDataset
from loantap.datasets.snapshot import SnapshotDataset
from loantap.datasets.source_table import SourceTableDataset
from loantap.datasets.spark.table import SparkFileDataset, SparkInputDataset, SparkTableDataset
from loantap.datasets.staged import StagedDataset
from loantap.datasets.table_file import BatchedDataset, TableFileDataset
from loantap.datasets.target_system import TargetSystemDataset
from loantap.datasets.target_table import TargetTableDataset

__all__ = [
  "BatchedDataset",
  "ChampionDataset",
  "ChampionsDataset",
  "DecisionsDataset",
  "FigureDataset",
  "InspectionDataset",
  "JudgedModelDataset",
  "LastTrainingDataset",
  "RegisteredModelDataset",
  "ServiceCountsDataset",
  "SnapshotDataset",
  "SnapshotStatesDataset",
  "SourceTableDataset",
  "SparkFileDataset",
  "SparkInputDataset",
  "SparkTableDataset",
  "StagedDataset",
  "TableFileDataset",
  "TargetSystemDataset",
  "TargetTableDataset",
]
