"""A CSV of somebody else: its form found out, and every line of it accounted for."""

import re
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import FAULT
from loantap.tables.columns import APPLICATION_ID, DELIMITERS, LOANTAP, RENAMED, Expected, read_head, recognise
from loantap.tables.csv_blocks import Array, Layout, Records, split
from loantap.tables.text_bytes import read_blocks, require_short, require_text
from loantap.tables.written_numbers import WrittenNumbers

_MAX_LINES = 20
_TOTAL = re.compile(r"^\W*((grand|sub)\W?)?(totals?|sum|count|average|mean)\b", re.IGNORECASE)


def find_table_end(records: Records, block: bytes, delimiter: str, width: int) -> int:
	"""How many of the last rows of a file belong to its table.

	Lines without a value do not, nor a total, which is mostly empty, nor notes behind the only empty line.
	"""
	end = len(records)
	for place in range(end - 1, max(end - _MAX_LINES, 0) - 1, -1):
		filled = _list_filled(records, place, block, delimiter)
		if not filled or (_TOTAL.match(filled[0]) and len(filled) * 2 <= width):
			end = place
		elif len(filled) * 3 > width:
			break
		elif place and not _list_filled(records, place - 1, block, delimiter):
			# A short row in a file with empty lines between its rows is one that was cut.
			above = range(max(place - 1 - _MAX_LINES, 0), place - 1)
			if not all(_list_filled(records, line, block, delimiter) for line in above):
				break
			end = place
	return end


def _list_filled(records: Records, place: int, block: bytes, delimiter: str) -> list[str]:
	text = records.row(place, block).decode(errors="replace")
	cells = (cell.strip(' \t\r\n"') for cell in text.split(delimiter))
	return [cell for cell in cells if cell]


class CsvRows:
	"""Its columns and rows; values are text.

	`names` are the dictionary's, "" where a column has none; `notes` what was done to read it, `numbers` what was made
	plain. `unpacks` is for files that a person names: little may unpack to much.

	InputError: it is no text, has a column twice, or no row fits the header.
	"""

	count: int | None = None

	def __init__(self, path: Path, where: str, expected: Expected = LOANTAP, *, unpacks: bool = False) -> None:
		self._path, self._where, self._expected, self._unpacks = path, where, expected, unpacks
		with closing(read_blocks(path, where, unpacks=unpacks)) as blocks:
			first, is_last = next(blocks)
		require_text(first, 1, where, is_last=is_last)
		self._head = read_head(first, where, expected)
		self.names = recognise(self._head.names, where, expected)
		self.numbers = WrittenNumbers(where, expected)
		self.notes = list(self._head.notes)
		if any(a != b for a, b in zip(self.names, self._head.names, strict=True) if a):
			self.notes.append(RENAMED)
		two_lines = self.names.index(expected.two_lines) if expected.two_lines in self.names else -1
		by_returns = first[: self._head.end].endswith(b"\r")
		self._layout = Layout(where, self._head.delimiter, len(self.names), two_lines, by_returns=by_returns)
		self._settle_width(first, is_last=is_last)

	def read(self, columns: Collection[str], batch_rows: int) -> Iterator[pa.Table]:
		"""Those of the columns that it has, and `FAULT`, in batches of so many rows at most.

		A row that does not fit has no values but its id, if first; `FAULT` says on which line and why. A file without
		rows gives one empty batch.

		Raises:
			InputError: one cannot tell where rows begin, or how a number is meant.
		"""
		held: list[pa.Table] = []
		rows = 0
		for table in self._read_blocks(columns):
			held.append(table)
			rows += len(table)
			if rows >= batch_rows:
				whole = pa.concat_tables(held)
				for start in range(0, rows - batch_rows + 1, batch_rows):
					yield self.numbers.make_plain(whole.slice(start, batch_rows))
				held, rows = [whole.slice(rows - rows % batch_rows)], rows % batch_rows
		if rows or not self.has_rows:
			yield self.numbers.make_plain(pa.concat_tables(held))

	def _read_blocks(self, columns: Collection[str]) -> Iterator[pa.Table]:
		line, rest, skipped = self._head.next_line, b"", self._head.end
		for data, is_last in read_blocks(self._path, self._where, unpacks=self._unpacks):
			block = rest + data[skipped:]
			skipped = 0
			require_text(block, line, self._where, is_last=is_last)
			records = split(block, self._layout, line, is_last=is_last)
			rest, line = block[records.consumed :], records.next_line
			require_short(rest, line, self._where)
			yield self._to_table(block, self._drop_others(block, records, is_last=is_last), columns)

	def _drop_others(self, block: bytes, records: Records, *, is_last: bool) -> Records:
		if is_last:
			records = self._drop_below(block, records)
			end = find_table_end(records, block, self._layout.delimiter, self._layout.width)
			if end < len(records) and block[records.starts[end] :].strip(b" \t\r\n,;|"):
				self._note(f"what stands below the table, from line {records.lines[end]:,} on, left out")
			records = records.keep(slice(end))
		is_row = records.cells > 1
		if not is_row.all():
			is_ink = ~np.isin(np.frombuffer(block, "uint8", records.ends[-1]), list(b" \t\r\n\v\f"))
			is_row |= np.logical_or.reduceat(is_ink, records.starts)
		for row in self._find_notes(block, records):
			is_row[row] = False
			self._note("notes between the rows left out")
		return records if is_row.all() else records.keep(is_row)

	def _drop_below(self, block: bytes, records: Records) -> Records:
		left, end = self._expected.below, len(records)
		while left and end:
			end -= 1
			left -= bool(records.row(end, block).strip())
		return records.keep(slice(end))

	def _find_notes(self, block: bytes, records: Records) -> Iterator[int]:
		for note in self._expected.notes:
			for found in re.finditer(re.escape(note.encode()), block):
				row = int(np.searchsorted(records.starts, found.start(), side="right")) - 1
				# It may stand in quotation marks.
				if row >= 0 and found.start() - records.starts[row] <= 1:
					yield row

	def _settle_width(self, first: bytes, *, is_last: bool) -> None:
		"""Hold the header against the rows: a comma at its end alone names no column.

		Where most rows do not fit, those that do may do so by accident.
		"""
		block = first[self._head.end :]
		records = split(block, self._layout, self._head.next_line, is_last=is_last)
		records = self._drop_others(block, records, is_last=is_last)
		self.has_rows = bool(len(records)) or not is_last
		records = records.keep(~records.astray)
		every = len(self.names)
		named = max(place for place, name in enumerate(self.names, start=1) if name)
		widths = range(every, named - 1, -1)
		width = max(widths, key=lambda width: (records.cells == width).sum())
		if width < every:
			self.names = self.names[:width]
			self._layout = replace(self._layout, width=width)
			self._note(f"the {self._delimiter} at the end of the header left out")
		is_odd = records.cells != width
		if is_odd.sum() * 2 > len(records):
			raise self._rows_do_not_fit(block, records.keep(is_odd), len(records))

	def _rows_do_not_fit(self, block: bytes, odd: Records, rows: int) -> InputError:
		width, cells = self._layout.width, int(odd.cells[0])
		line = odd.row(0, block).strip(b"\r\n ")
		where = f"{self._where}, line {odd.lines[0]:,}"
		problem = f"this row has {cells} values and the header {width} names, and {len(odd):,} of {rows:,} rows do not fit"
		if cells != width + 1:
			return InputError(where, problem, "Give each row as many values as the header has names")
		at_end = " at the end of each row" if line.endswith(self._layout.delimiter.encode()) else ""
		return InputError(
			where,
			f"{problem}. Either there is one {self._delimiter} too many{at_end}, "
			f"or the header lacks the name of the first column",
			f"Take the {self._delimiter} out, put quotation marks around a value that holds one, or give the column a name",
		)

	@property
	def _delimiter(self) -> str:
		return DELIMITERS[self._layout.delimiter]

	def _note(self, note: str) -> None:
		if note not in self.notes:
			self.notes.append(note)

	def _to_table(self, block: bytes, records: Records, columns: Collection[str]) -> pa.Table:
		places = {n: p for p, n in reversed(list(enumerate(self.names))) if n and n in columns}
		wanted = sorted(places, key=places.__getitem__)
		faults = self._find_faults(block, records)
		is_good = np.ones(len(records), "bool")
		is_good[list(faults)] = False
		table = self._parse(_join(block, records, is_good), [places[name] for name in wanted])
		if len(table) != is_good.sum():
			raise RuntimeError(f"{self._where}: {len(table):,} rows were read of {is_good.sum():,}")
		table = table.rename_columns(wanted or [""])
		if faults:
			table = table.take(pa.array(np.cumsum(is_good) - 1, mask=~is_good))
		if faults and places.get(APPLICATION_ID) == 0:
			ids = pa.array([_read_id(records.row(row, block), self._layout.delimiter) for row in faults], pa.string())
			column = pc.replace_with_mask(table[APPLICATION_ID].combine_chunks(), pa.array(~is_good), ids)
			table = table.set_column(wanted.index(APPLICATION_ID), APPLICATION_ID, column)
		causes = pa.array(map(faults.get, range(len(records))), pa.string())
		table = table.append_column(FAULT, causes)
		return table.select([*wanted, FAULT])

	def _find_faults(self, block: bytes, records: Records) -> dict[int, str]:
		width, header = self._layout.width, self._head.line
		lengths = records.ends - records.starts - len(header)
		alike = np.flatnonzero((lengths >= 0) & (lengths <= len(b"\xef\xbb\xbf\r\n"))).tolist()
		repeated = [row for row in alike if header in records.row(row, block)]
		causes = {
			row: f"it has {records.cells[row]} values and the header {width} names"
			for row in np.flatnonzero(records.cells != width).tolist()
		}
		causes |= dict.fromkeys(np.flatnonzero(records.astray).tolist(), "a quotation mark stands inside a value")
		causes |= dict.fromkeys(repeated, "it repeats the header")
		return {row: f"line {records.lines[row]:,}: {causes[row]}" for row in sorted(causes)}

	def _parse(self, rows: bytes, places: list[int]) -> pa.Table:
		names = [str(place) for place in range(self._layout.width)]
		# Without a column a table would have no rows.
		wanted = [names[place] for place in places or [0]]
		types = dict.fromkeys(wanted, pa.string())
		if not rows:
			return pa.schema(types).empty_table()
		return arrow_csv.read_csv(
			pa.BufferReader(rows),
			arrow_csv.ReadOptions(column_names=names, block_size=len(rows) + 1),
			arrow_csv.ParseOptions(delimiter=self._layout.delimiter, newlines_in_values=True),
			arrow_csv.ConvertOptions(
				check_utf8=False,
				column_types=types,
				null_values=[""],
				strings_can_be_null=True,
				quoted_strings_can_be_null=True,
				include_columns=wanted,
			),
		)


def _join(block: bytes, records: Records, is_good: Array) -> bytes:
	starts, ends = records.starts[is_good], records.ends[is_good]
	if not len(starts):
		return b""
	is_gap = starts[1:] != ends[:-1]
	begins = starts[np.concatenate([[True], is_gap])]
	finishes = ends[np.concatenate([is_gap, [True]])]
	return b"".join(block[a:b] for a, b in zip(begins, finishes, strict=True))


def _read_id(row: bytes, delimiter: str) -> str | None:
	"""The first value of a row, which nothing can have moved."""
	first, _, _ = row.decode().strip("\r\n").partition(delimiter)
	return None if '"' in first or not first else first
