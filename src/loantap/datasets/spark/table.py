"""Tables whose rows a Spark cluster makes."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pandas as pd
from kedro.io import AbstractDataset
from kedro.validation.exceptions import DataValidationError

from loantap.datasets.staged import StagedDataset
from loantap.datasets.table_file import BatchedDataset
from loantap.portfolio.errors import InputError
from loantap.tables.files import TableFile, is_parquet
from loantap.tables.progress import Progress
from loantap.tables.rows import MappedFile, RowsFunction
from loantap.tables.tasks import Tasks, cut, load_schema, make_nothing, write_as_parquet

if TYPE_CHECKING:
	from pyspark.sql import Row, SparkSession

_DONE = "task long, rows long, problem string"
_POLL_SECONDS = 0.5
# Set by spark-submit, Databricks, or a person who chooses the cluster.
_LAUNCHERS = ("PYSPARK_GATEWAY_PORT", "PYSPARK_SUBMIT_ARGS", "SPARK_CONF_DIR", "DATABRICKS_RUNTIME_VERSION")
_ON_A_CLUSTER = ("spark.app.name",)
_COPY = ".rows.parquet"


def run_tasks(tasks: Tasks, session: SparkSession) -> None:
	"""Have all parts of a table made, and tell how far it is.

	Raises:
		DataValidationError, RuntimeError: rows made are not valid, or not all came.
	"""
	tag = f"loantap-{uuid4().hex}"
	total = sum(rows.rows for rows in tasks.slices)
	progress = Progress("", total, "rows")
	with ThreadPoolExecutor(1) as pool:
		job = pool.submit(_collect, tasks, session, tag)
		try:
			_watch(job, tasks, total, progress)
		except BaseException:
			session.sparkContext.cancelJobsWithTag(tag)
			raise
	_check(job.result(), tasks, total)


def _collect(tasks: Tasks, session: SparkSession, tag: str) -> list[Row]:
	def do(numbers: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
		for frame in numbers:
			yield pd.DataFrame([asdict(tasks.do(int(number))) for number in frame["id"]])

	session.sparkContext.addJobTag(tag)
	numbers = session.range(0, len(tasks), 1, len(tasks))
	done: list[Row] = numbers.mapInPandas(do, _DONE).collect()
	return done


def _watch(job: Future[list[Row]], tasks: Tasks, total: int, progress: Progress) -> None:
	told = -1
	while not wait([job], _POLL_SECONDS).done:
		if (rows := tasks.count_rows()) > told:
			progress.tell(rows)
			told = rows
	if job.exception() is None:
		progress.tell(total)


def _check(done: list[Row], tasks: Tasks, total: int) -> None:
	problems = [f"{tasks.part(row.task).name}: {row.problem}" for row in done if row.problem]
	if problems:
		raise DataValidationError(
			f"{len(problems)} of {len(tasks)} parts are not valid; the first, {problems[0]}",
			mode="save",
			validator=tasks.schema,
		)
	written = sum(row.rows for row in done)
	if written != total:
		raise RuntimeError(f"{written:,} rows were written of {total:,}")


if TYPE_CHECKING:
	from pyspark.sql import SparkSession


def open_session(settings: Mapping[str, str]) -> SparkSession:
	"""The active session, or a new one here by `settings`.

	Raises:
		InputError: PySpark or Java is not installed.
	"""
	try:
		from pyspark.errors import PySparkRuntimeError
		from pyspark.sql import SparkSession
	except ImportError as error:
		raise InputError(
			"env spark", "pyspark is not installed", "Install it with `pip install 'loantap[spark]'`, and Java 17 or newer"
		) from error
	active: SparkSession | None = SparkSession.getActiveSession()
	if active is not None:
		return active
	try:
		return _configure(SparkSession.builder, settings).getOrCreate()
	except PySparkRuntimeError as error:
		if error.getCondition() != "JAVA_GATEWAY_EXITED":
			raise
		raise InputError(
			"env spark",
			"Spark does not start: Java is missing, or is not the version that it needs",
			"Install Java 17 (Debian: apt-get install openjdk-17-jre-headless) or set JAVA_HOME",
		) from error


def _configure(builder: SparkSession.Builder, settings: Mapping[str, str]) -> SparkSession.Builder:
	is_launched = any(name in os.environ for name in _LAUNCHERS)
	if is_launched and os.environ.get("SPARK_LOCAL_IP") == "127.0.0.1":
		# Pandera sets it, and executors on other machines would not find the driver.
		del os.environ["SPARK_LOCAL_IP"]
	chosen = {n: v for n, v in settings.items() if not is_launched or n in _ON_A_CLUSTER}
	for name, value in chosen.items():
		builder = builder.config(name, str(value))
	if is_launched:
		return builder
	# Or else the first python3 of the path, which need not be ours.
	os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
	log = files("loantap.datasets.spark").joinpath("log.properties")
	return builder.config("spark.driver.extraJavaOptions", f"-Dlog4j2.configurationFile={log}")


class SparkRows:
	"""A CSV or Parquet file that the machines of a cluster read, each its part."""

	def __init__(self, path: Path, schema: str | None = None) -> None:
		self._path = path.absolute()
		self._schema = schema

	@property
	def columns(self) -> list[str]:
		"""Names of its columns."""
		return TableFile(self._path).columns

	def map(self, function: RowsFunction, columns: Collection[str]) -> Iterator[MappedFile]:
		"""A promise, kept when it is saved; see `Rows`."""
		yield MappedFile(self._path, tuple(columns), function)

	def to_frame(self) -> pd.DataFrame:
		"""All rows of a Parquet file, in this process; checked like those of a dataset."""
		rows = pd.read_parquet(self._path)
		return load_schema(self._schema).validate(rows) if self._schema else rows


class SparkFileDataset(AbstractDataset[None, SparkRows]):
	"""A CSV or Parquet file of somebody else, for a cluster to read."""

	def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
		self._path = Path(filepath)
		self.metadata = metadata

	def load(self) -> SparkRows:
		"""The file, its rows not read yet; raises InputError where it cannot be read."""
		TableFile(self._path)
		return SparkRows(self._path)

	def save(self, data: None) -> None:
		"""Refused: it is somebody else's file."""
		raise NotImplementedError(f"{self._path} is only read")

	def _exists(self) -> bool:
		return self._path.is_file()

	def _describe(self) -> dict[str, Any]:
		return {"filepath": str(self._path)}


class SparkInputDataset(StagedDataset):
	"""A table of ours, saved as a frame, for a cluster to read."""

	def __init__(self, *, dataset: dict[str, Any], schema: str, metadata: dict[str, Any] | None = None) -> None:
		super().__init__(dataset=dataset, metadata=metadata)
		self._schema = schema

	def load(self) -> SparkRows:
		"""The table; its rows are read where they are needed."""
		return SparkRows(self.current, self._schema)


class SparkTableDataset(BatchedDataset):
	"""A Parquet table made by a cluster: a folder of parts in the order of the rows.

	The cluster checks every batch and writes the parts; the folder appears when the run has succeeded. `session`:
	settings of Spark on this machine.
	"""

	def __init__(
		self,
		*,
		dataset: dict[str, Any],
		schema: str,
		session: dict[str, str],
		in_batches: bool = False,
		metadata: dict[str, Any] | None = None,
	) -> None:
		super().__init__(dataset=dataset, in_batches=in_batches, metadata=metadata)
		self._schema = schema
		self._session = session

	def save(self, data: MappedFile) -> None:
		"""Have the rows made and written to the staging name."""
		if not is_parquet(self.filepath):
			raise InputError(f"--env spark, {self.filepath}", "a cluster writes Parquet only", "Name it .parquet")
		# Finds what is wrong with the columns before Spark starts.
		make_nothing(data)
		self._file.discard()
		with self._file.writing() as path:
			folder = path.absolute()
			folder.mkdir()
			mapped = data if is_parquet(data.path) else write_as_parquet(data, folder / _COPY)
			tasks = Tasks(mapped, cut(mapped.path), folder, self._schema)
			run_tasks(tasks, open_session(self._session))
			# The copy, and what a task done twice left.
			for left in folder.glob(".*"):
				left.unlink()
