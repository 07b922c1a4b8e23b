"""What monitoring reads: the decision log, the state of each snapshot, the counters of the API."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NoReturn

import pandas as pd
from kedro.io import AbstractDataset
from prometheus_client.parser import text_string_to_metric_families

from loantap.portfolio.errors import InputError
from loantap.snapshots.manifest import MANIFEST, read_manifest
from loantap.surveillance.monitoring.decisions import DecisionReader
from loantap.surveillance.monitoring.systems import ServiceCounts, SourceState
from loantap.tables.files import TableFile

# The route of the API that decides on an application.
_DECIDES: Final = "/v1/applications/score"


class _ReadOnlyDataset(AbstractDataset[NoReturn, Any]):
	_otherwise = "none"

	def __init__(self, *, filepath: str | None = None, metadata: dict[str, Any] | None = None) -> None:
		self._path = Path(filepath) if filepath else None
		self.metadata = metadata

	def save(self, data: NoReturn) -> None:
		raise NotImplementedError(f"{self} is only read")

	def _exists(self) -> bool:
		# That nothing is there is an answer too.
		return True

	def _describe(self) -> dict[str, Any]:
		return {"filepath": str(self._path)} if self._path else {"reads": self._otherwise}


class DecisionsDataset(_ReadOnlyDataset):
	"""Decisions of a file that `loantap-audit export` wrote; without one, of the audit log itself.

	Loads as a `DecisionReader`, which finds none where there is no log.
	"""

	_otherwise = "audit log"

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


def _read_file(path: Path, since: datetime, until: datetime) -> Iterator[pd.DataFrame]:
	if path.suffix.lower() != ".parquet":
		raise InputError(f"{path}", "it is no Parquet file", "Give a file that `loantap-audit export` wrote")
	file = TableFile(path)
	if "decided_at" not in file.columns:
		raise InputError(f"{path}", "column decided_at missing", "Give a file that `loantap-audit export` wrote")
	for rows in file.read_plain(file.columns):
		yield rows[pd.to_datetime(rows["decided_at"], utc=True).between(since, until, inclusive="left")]


class SnapshotStatesDataset(_ReadOnlyDataset):
	"""When each snapshot was read, when its rows were last updated, and how many there are."""

	def __init__(self, *, folder: str, tables: list[str], metadata: dict[str, Any] | None = None) -> None:
		super().__init__(filepath=folder, metadata=metadata)
		self._folder, self._tables = Path(folder), tables

	def load(self) -> list[SourceState]:
		"""One state per table; DamagedSnapshotError where a list cannot be read."""
		return [_find_state(table, self._folder / table / MANIFEST) for table in self._tables]


def _find_state(table: str, path: Path) -> SourceState:
	if not path.is_file():
		return SourceState(table, None, None, None)
	manifest = read_manifest(path)
	updated = manifest.last_update
	return SourceState(table, manifest.rows, updated.date() if updated else None, manifest.as_of)


class ServiceCountsDataset(_ReadOnlyDataset):
	"""What the API had counted when its `/metrics` were saved to a file; None without a file."""

	def load(self) -> ServiceCounts | None:
		"""The counts; InputError where the file is none of Prometheus's text format."""
		return None if self._path is None else _read_counts(self._path)


def _read_counts(path: Path) -> ServiceCounts:
	statuses: Counter[str] = Counter()
	seconds: Counter[float] = Counter()
	try:
		for family in text_string_to_metric_families(path.read_text("utf-8")):
			for sample in family.samples:
				# Health and metrics are asked for by machines, and never fail.
				if sample.name == "loantap_requests_total" and sample.labels["route"].startswith("/v1/"):
					statuses[sample.labels["status"]] += int(sample.value)
				if sample.name == "loantap_request_seconds_bucket" and sample.labels["route"] == _DECIDES:
					seconds[float(sample.labels["le"])] += int(sample.value)
	except (ValueError, KeyError, UnicodeDecodeError, OSError) as error:
		remedy = "Save what the API answers to GET /metrics"
		raise InputError(f"{path}", f"it cannot be read as Prometheus's text format ({error})", remedy) from error
	return ServiceCounts(statuses, sorted(seconds.items()))
