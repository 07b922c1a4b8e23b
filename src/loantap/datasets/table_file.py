"""Files of rows that may be larger than memory: read in batches, written in batches."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset

from loantap.datasets.staged import StagedDataset, is_csv, remove_staged, with_types
from loantap.project.journal import Rename
from loantap.tables.column_maps.column_map import read_column_map
from loantap.tables.files import BATCH_ROWS, CsvWriter, TableFile, TableParts, TableWriter, list_parts
from loantap.tables.parquet_file import open_parquet

logger = logging.getLogger(__name__)


class TableFileDataset(AbstractDataset[None, TableFile | pd.DataFrame]):
	"""A file of somebody else, strictly read.

	Args:
		columns: a column map, by the path of its file or by its name if it is shipped.
	"""

	def __init__(
		self, *, filepath: str, whole: bool = False, columns: str | None = None, metadata: dict[str, Any] | None = None
	) -> None:
		self._path = Path(filepath)
		self._whole = whole
		self._columns = columns
		self.metadata = metadata

	def load(self) -> TableFile | pd.DataFrame:
		"""All rows where it is needed whole, else the file, read when asked; InputError where it cannot be or is empty."""
		file = TableFile(self._path, column_map=read_column_map(self._columns) if self._columns else None)
		if self._whole:
			file.require_rows()
			return file.to_frame()
		if not file.has_rows:
			logger.warning("%s has a header and no rows", self._path)
		return file

	def save(self, data: None) -> None:
		"""Refused: it is somebody else's file."""
		raise NotImplementedError(f"{self._path} is only read")

	def _exists(self) -> bool:
		return self._path.is_file()

	def _describe(self) -> dict[str, Any]:
		return {"filepath": str(self._path)}


class BatchedDataset(StagedDataset):
	"""A table that a generator node saves batch by batch, staged like any other.

	Batches become row groups, categories the texts they stand for. A `.csv` waits beside the same
	rows as Parquet, whose types the rest of the run reads.

	Args:
		remember: whether the frame stays in memory while a step needs it. A step gets a copy that shares its values
			until one is written to.
	"""

	def __init__(
		self,
		*,
		dataset: dict[str, Any],
		in_batches: bool = False,
		remember: bool = False,
		optional: bool = False,
		metadata: dict[str, Any] | None = None,
	) -> None:
		super().__init__(dataset=dataset, optional=optional, metadata=metadata)
		self._in_batches = in_batches
		self._remember = remember
		# Which file was read last, as it then was, and what it holds.
		self._remembered: tuple[tuple[Path, int, int], pd.DataFrame] | None = None
		self._writers: list[TableWriter | CsvWriter] = []

	def save(self, data: Any) -> None:
		"""Append a batch to the staged file; the first of a run begins it."""
		try:
			with self._file.writing() as path:
				if not self._writers:
					self._writers = [TableWriter(with_types(path), data)]
					self._writers += [CsvWriter(path)] if is_csv(path) else []
				for writer in self._writers:
					writer.write(data)
		except BaseException:
			self._close()
			raise

	def load(self) -> Any:
		"""Load what this run saved, or else the last good output."""
		self._close()
		current = self.current
		if self._is_optional and not current.exists():
			return None
		if current == self._file.staged:
			current = with_types(current)
		if self._in_batches:
			return TableParts(current)
		if not (self._remember and current.is_file()):
			return self._make(current).load()
		found = current.stat()
		read = (current, found.st_mtime_ns, found.st_size)
		if self._remembered is None or self._remembered[0] != read:
			self._remembered = read, self._make(current).load()
		return self._remembered[1].copy(deep=False)

	def tally(self, columns: list[str]) -> pd.DataFrame:
		"""How many rows hold each combination of values: `columns`, then `rows`."""
		self._close()
		counts = [
			batch.astype("str").value_counts() for part in list_parts(self.current) for batch in _iter_columns(part, columns)
		]
		if not counts:
			return pd.DataFrame(columns=[*columns, "rows"])
		table: pd.DataFrame = pd.concat(counts).groupby(columns).sum().reset_index(name="rows")
		return table

	def renames(self) -> list[Rename]:
		"""See `FilePublishable`."""
		self._close()
		return super().renames()

	def publish(self) -> None:
		"""See `Publishable`."""
		self._close()
		super().publish()
		remove_staged(self._file.staged)  # The types of a CSV, which wait beside it.

	def discard(self) -> None:
		"""See `Publishable`."""
		self._close()
		super().discard()

	def _close(self) -> None:
		for writer in self._writers:
			writer.close()
		self._writers = []

	def _release(self) -> None:
		self._remembered = None


def _iter_columns(path: Path, columns: list[str]) -> Iterator[pd.DataFrame]:
	if is_csv(path):
		with pd.read_csv(path, dtype="str", usecols=columns, chunksize=BATCH_ROWS) as batches:
			yield from (batch[columns] for batch in batches)
		return
	for batch in open_parquet(path).iter_batches(BATCH_ROWS, columns=columns):
		yield batch.to_pandas()
