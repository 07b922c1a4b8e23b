"""Kedro datasets of our own: source tables, raw snapshots, staged files, registered models."""

from loantap.datasets.monitored import DecisionsDataset, ServiceCountsDataset, SnapshotStatesDataset
from loantap.datasets.registered_model import (
	ChampionDataset,
	ChampionsDataset,
	JudgedModelDataset,
	LastTrainingDataset,
	RegisteredModelDataset,
)
from loantap.datasets.snapshot import SnapshotDataset
from loantap.datasets.source_table import InspectionDataset, SourceTableDataset, TargetSystemDataset
from loantap.datasets.spark.table import SparkFileDataset, SparkInputDataset, SparkTableDataset
from loantap.datasets.staged import FigureDataset, StagedDataset
from loantap.datasets.table_file import BatchedDataset, TableFileDataset
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
