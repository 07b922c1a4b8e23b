"""What a function of rows is mapped over: a frame, a file, or a file that many machines read."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pandas as pd
import pyarrow as pa

# Rows for a database in one transaction: with an eighth of them, opening and closing the embedded
# file took half of the time.
PUBLISHED_ROWS = 524_288


class RowsFunction(Protocol):
	"""Maps each row to one row, which does not depend on the other rows of its batch."""

	def __call__(self, batch: pd.DataFrame, first_row: int, /) -> pd.DataFrame:
		"""Rows made of a batch, whose first row has the number `first_row` in its table, from 0."""


@dataclass(frozen=True, slots=True)
class MappedFile:
	"""Rows still to be made of a file, by whoever saves them.

	`columns` are those the function takes, where the file has them.
	"""

	path: Path
	columns: tuple[str, ...]
	function: RowsFunction


class Batches(Protocol):
	"""A table of any size that this machine reads batch by batch."""

	def read(self, columns: Collection[str]) -> Iterator[pd.DataFrame]:
		"""Those of the columns that the table has."""


class LongTable(Protocol):
	"""A table of any number of rows, given without loading them."""

	def __len__(self) -> int:
		"""Number of its rows."""

	def scan(self, columns: Collection[str] | None = None) -> pa.RecordBatchReader:
		"""Those of the columns that the table has, or all; its rows in their order."""


class Rows(Protocol):
	"""A table of any size."""

	@property
	def columns(self) -> Collection[str]:
		"""Names of its columns."""

	def map(self, function: RowsFunction, columns: Collection[str]) -> Iterator[pd.DataFrame] | Iterator[MappedFile]:
		"""What the function makes of those of the columns that the table has, in its order."""


class Table(Rows, Protocol):
	"""A table of any size that fits into memory where it must."""

	def to_frame(self) -> pd.DataFrame:
		"""All of its rows."""


def map_rows(
	table: pd.DataFrame | Rows, function: RowsFunction, columns: Collection[str]
) -> Iterator[pd.DataFrame] | Iterator[MappedFile]:
	"""See `Rows.map`; of a frame, all rows at once."""
	if isinstance(table, pd.DataFrame):
		return iter([function(table, 0)])
	return table.map(function, columns)


def to_frame(table: pd.DataFrame | Table) -> pd.DataFrame:
	"""The rows of a table that is needed whole."""
	return table if isinstance(table, pd.DataFrame) else table.to_frame()


def read_batches(table: pd.DataFrame | LongTable, columns: Collection[str] | None = None) -> Iterator[pd.DataFrame]:
	"""Those of the columns that a table has, or all, batch by batch; of a frame at once."""
	if isinstance(table, pd.DataFrame):
		yield table if columns is None else table[[n for n in table.columns if n in columns]]
		return
	reader = table.scan(columns)
	is_empty = True
	for batch in reader:
		yield frame_of(batch)
		is_empty = False
	if is_empty:
		yield frame_of(reader.schema.empty_table())


def gather_batches(batches: Iterable[pd.DataFrame], rows: int) -> Iterator[pd.DataFrame]:
	"""The same rows in fewer batches, each of at least so many rows but the last."""
	held: list[pd.DataFrame] = []
	for batch in batches:
		held.append(batch)
		if sum(map(len, held)) >= rows:
			yield pd.concat(held, ignore_index=True)
			held = []
	if held:
		yield pd.concat(held, ignore_index=True)


def pair_rows(
	left: Iterable[pd.DataFrame], right: Iterable[pd.DataFrame]
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
	"""Rows of the left table, batch by batch, each with those at the same places of the right.

	Raises:
		ValueError: one of the tables is longer.
	"""
	others = iter(right)
	held = next(others)
	for batch in left:
		while len(held) < len(batch):
			more = next(others, None)
			if more is None:
				raise ValueError("the left table is longer than the right")
			held = pd.concat([held, more], ignore_index=True)
		yield batch, held.iloc[: len(batch)]
		held = held.iloc[len(batch) :]
	if len(held) or any(len(more) for more in others):
		raise ValueError("the right table is longer than the left")


def frame_of(rows: pa.Table | pa.RecordBatch) -> pd.DataFrame:
	"""Rows as a frame; moments to the second, which is what tables of ours hold."""
	frame: pd.DataFrame = rows.to_pandas()
	moments = frame.columns[[pd.api.types.is_datetime64_any_dtype(t) for t in frame.dtypes]]
	return frame.astype(dict.fromkeys(moments, "datetime64[s]"))
