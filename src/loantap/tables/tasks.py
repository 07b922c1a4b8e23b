"""A mapping over a file, cut into tasks that many machines can do side by side."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from pathlib import Path
from uuid import uuid4

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pandera.errors import SchemaError
from pandera.pandas import DataFrameSchema
from threadpoolctl import threadpool_limits

from loantap.tables.files import BATCH_ROWS, TableFile, TableWriter, is_parquet
from loantap.tables.rows import MappedFile


@dataclass(frozen=True, slots=True)
class Slice:
	"""Rows of a Parquet file that one task deals with; `first_row` counts from 0."""

	row_groups: tuple[int, ...]
	first_row: int
	rows: int


@dataclass(frozen=True, slots=True)
class Done:
	"""What became of a task; `problem` says why its rows are not valid, "" when they are."""

	task: int
	rows: int
	problem: str


@dataclass(frozen=True, slots=True)
class Tasks:
	"""A mapping over a Parquet file, in tasks that write one part each.

	Attributes:
		folder: where the parts go, to be reached by every machine under this path.
		schema: `module.NAME` of the Pandera schema that every batch made must meet.
	"""

	mapped: MappedFile
	slices: tuple[Slice, ...]
	folder: Path
	schema: str

	def __len__(self) -> int:
		return len(self.slices)

	def do(self, task: int) -> Done:
		"""Make the rows of one task; its part appears when all of them are valid.

		Done twice, at the same time too, it makes the same part.
		"""
		# A cluster gives a task one core.
		pa.set_cpu_count(1)
		unfinished = self.folder / f".{uuid4().hex}"
		try:
			with threadpool_limits(1):
				rows = _write(unfinished, self._make(self.slices[task]))
		except SchemaError as error:
			unfinished.unlink(missing_ok=True)
			return Done(task, 0, str(error))
		unfinished.replace(self.part(task))
		return Done(task, rows, "")

	def part(self, task: int) -> Path:
		"""The file that a task makes; by name the parts are in the order of the rows."""
		return self.folder / f"part-{task:06d}.parquet"

	def count_rows(self) -> int:
		"""Rows of the tasks that are done so far."""
		return sum(s.rows for n, s in enumerate(self.slices) if self.part(n).exists())

	def _make(self, rows: Slice) -> Iterator[pd.DataFrame]:
		schema, first_row = load_schema(self.schema), rows.first_row
		source = TableFile(self.mapped.path, row_groups=rows.row_groups)
		for batch in source.read(self.mapped.columns):
			yield schema.validate(self.mapped.function(batch, first_row))
			first_row += len(batch)


def cut(path: Path, rows: int = BATCH_ROWS) -> tuple[Slice, ...]:
	"""A Parquet file in slices of whole row groups, of at least `rows` but the last; at least one slice."""
	metadata = pq.read_metadata(path)
	slices: list[Slice] = []
	groups: tuple[int, ...] = ()
	first_row = held = 0
	for group in range(metadata.num_row_groups):
		groups += (group,)
		held += metadata.row_group(group).num_rows
		if held >= rows:
			slices.append(Slice(groups, first_row, held))
			groups, first_row, held = (), first_row + held, 0
	if groups or not slices:
		slices.append(Slice(groups, first_row, held))
	return tuple(slices)


def write_as_parquet(source: MappedFile, path: Path) -> MappedFile:
	"""The same mapping over a Parquet file, written from the columns of a CSV.

	Which line breaks of a CSV end a row is known only from its beginning: addresses have two lines.
	"""
	_write(path, TableFile(source.path).read(source.columns))
	return MappedFile(path, source.columns, source.function)


def _write(path: Path, batches: Iterator[pd.DataFrame]) -> int:
	first = next(batches)
	writer = TableWriter(path, first)
	written = 0
	try:
		for batch in chain([first], batches):
			writer.write(batch)
			written += len(batch)
	finally:
		writer.close()
	return written


def make_nothing(mapped: MappedFile) -> pd.DataFrame:
	"""What the function makes of no rows; raises what it has against the file's columns."""
	file = TableFile(mapped.path, 1, row_groups=() if is_parquet(mapped.path) else None)
	return mapped.function(next(file.read(mapped.columns)).head(0), 0)


def load_schema(name: str) -> DataFrameSchema:
	"""The Pandera schema of this name, `module.NAME`."""
	module, _, attribute = name.rpartition(".")
	schema: DataFrameSchema = getattr(import_module(module), attribute)
	return schema
