"""What monitoring reads: the decision log, the state of each snapshot, the counters of the API."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import pyarrow.parquet as pq
from kedro.io import AbstractDataset
from prometheus_client.parser import text_string_to_metric_families

from loantap.portfolio.errors import InputError
from loantap.snapshots.manifest import MANIFEST, read_manifest
from loantap.surveillance.monitoring.service import ServiceCounts
from loantap.surveillance.monitoring.sources import SourceState

# Decisions kept at the first time or later and before the second, some thousands at a time.
DecisionReader = Callable[[datetime, datetime], Iterator[pd.DataFrame]]
_ROWS = 50_000


class _ReadOnlyDataset(AbstractDataset[NoReturn, Any]):
	"""A dataset that somebody else writes."""

	metadata: dict[str, Any] | None = None

	def save(self, data: NoReturn) -> None:
		"""Refused."""
		raise NotImplementedError(f"{self} is only read")

	def _exists(self) -> bool:
		# That nothing is there is an answer too.
		return True


class DecisionsDataset(_ReadOnlyDataset):
	"""Decisions of a file that `loantap-audit export` wrote; without one, of the audit log itself.

	Loads as a `DecisionReader`; where there is no log, as one that finds none.
	"""

	def __init__(self, *, filepath: str | None = None, metadata: dict[str, Any] | None = None) -> None:
		self._path = Path(filepath) if filepath else None
		self.metadata = metadata

	def load(self) -> DecisionReader:
		"""A reader; nothing is opened before it is called."""
		return self._read

	def _read(self, since: datetime, until: datetime) -> Iterator[pd.DataFrame]:
		if self._path is not None:
			yield from _read_file(self._path, since, until)
			return
		# Where nothing is served, what serving needs is not installed.
		from loantap.serving.audit.engines import choose_url, has_log
		from loantap.serving.audit.export import read_decisions

		if has_log(url := choose_url()):
			yield from read_decisions(url, since, until)

	def _describe(self) -> dict[str, Any]:
		return {"filepath": str(self._path or "audit log")}


def _read_file(path: Path, since: datetime, until: datetime) -> Iterator[pd.DataFrame]:
	with pq.ParquetFile(path) as file:
		if "decided_at" not in file.schema_arrow.names:
			raise InputError(f"{path}", "column decided_at missing", "Give a file that `loantap-audit export` wrote")
		for batch in file.iter_batches(_ROWS):
			rows = batch.to_pandas()
			yield rows[pd.to_datetime(rows["decided_at"], utc=True).between(since, until, inclusive="left")]


class SnapshotStatesDataset(_ReadOnlyDataset):
	"""When each snapshot was read, when its rows were last updated, and how many there are."""

	def __init__(self, *, folder: str, tables: list[str], metadata: dict[str, Any] | None = None) -> None:
		self._folder, self._tables = Path(folder), tables
		self.metadata = metadata

	def load(self) -> list[SourceState]:
		"""One state per table; DamagedSnapshotError where a list cannot be read."""
		return [self._find(table) for table in self._tables]

	def _find(self, table: str) -> SourceState:
		path = self._folder / table / MANIFEST
		if not path.is_file():
			return SourceState(table, None, None, None)
		manifest = read_manifest(path)
		updated = manifest.last_update
		return SourceState(table, manifest.rows, updated.date() if updated else None, manifest.as_of)

	def _describe(self) -> dict[str, Any]:
		return {"folder": str(self._folder), "tables": self._tables}


class ServiceCountsDataset(_ReadOnlyDataset):
	"""What the API had counted when its `/metrics` were saved to a file; None without a file."""

	def __init__(self, *, filepath: str | None = None, metadata: dict[str, Any] | None = None) -> None:
		self._path = Path(filepath) if filepath else None
		self.metadata = metadata

	def load(self) -> ServiceCounts | None:
		"""The counts; InputError where the file is none of Prometheus's text format."""
		return None if self._path is None else _read_counts(self._path)

	def _describe(self) -> dict[str, Any]:
		return {"filepath": str(self._path)}


def _read_counts(path: Path) -> ServiceCounts:
	statuses: dict[str, int] = {}
	seconds: dict[float, int] = {}
	try:
		for family in text_string_to_metric_families(path.read_text("utf-8")):
			for sample in family.samples:
				if sample.name == "loantap_requests_total":
					status = sample.labels["status"]
					statuses[status] = statuses.get(status, 0) + int(sample.value)
				if sample.name == "loantap_request_seconds_bucket" and sample.labels["route"] == "POST /v1/decisions":
					bound = float(sample.labels["le"])
					seconds[bound] = seconds.get(bound, 0) + int(sample.value)
	except (ValueError, KeyError, UnicodeDecodeError, OSError) as error:
		remedy = "Save what the API answers to GET /metrics"
		raise InputError(f"{path}", f"it cannot be read as Prometheus's text format ({error})", remedy) from error
	return ServiceCounts(statuses, sorted(seconds.items()))
