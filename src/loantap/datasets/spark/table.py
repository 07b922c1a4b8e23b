"""Tables whose rows a Spark cluster makes."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset

from loantap.datasets.spark.job import run_tasks
from loantap.datasets.spark.session import open_session
from loantap.datasets.staged import StagedDataset
from loantap.datasets.table_file import BatchedDataset
from loantap.portfolio.errors import InputError
from loantap.tables.files import TableFile, is_parquet
from loantap.tables.rows import MappedFile, RowsFunction
from loantap.tables.tasks import Tasks, cut, load_schema, make_nothing, write_as_parquet

_COPY = ".rows.parquet"


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

  The cluster checks every batch and writes the parts; the folder appears when the run has
  succeeded. `session` are settings of Spark on this machine, where no session is there.
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
    """Have the rows made and written to the staging name.

    Raises:
        InputError: the file lacks a column, or Spark is not installed.
        DataValidationError: rows made are not valid.
    """
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
