"""Rows of another lender's file as LoanTap's, by a column map, batch by batch."""

from collections.abc import Callable, Collection, Iterator, Mapping
from string import Formatter
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from loantap.portfolio.dictionary import LOAN_ID, Kind
from loantap.portfolio.errors import InputError, guess
from loantap.portfolio.loantap_format import FAULT, GIVEN_ID
from loantap.portfolio.values import fold
from loantap.tables.column_maps.column_map import COLUMNS_OF, NUMERIC, ColumnMap, Source, is_needed
from loantap.tables.column_maps.units import TwoFormsError, convert_units, read_date
from loantap.tables.columns import Expected, fold_name
from loantap.tables.csv_file import CsvRows
from loantap.tables.parquet_file import ParquetRows
from loantap.tables.written_numbers import is_text, undo_dictionary

_TEXT: Final = pa.large_string()
_MEANT: Final = "__meant__"
_NOT_GIVEN: Final = r"(?i)^\s*(?:n/a|nan)?\s*$"


class MappedRows:
	"""The rows of `raw` under LoanTap's names, the ids of the file as `GIVEN_ID`; see `CsvRows`.

	A column that the map does not have is missing in every row; InputError where the file lacks one it names.
	"""

	def __init__(self, raw: CsvRows | ParquetRows, column_map: ColumnMap, where: str) -> None:
		self._raw, self._where = raw, where
		self.names = tuple(GIVEN_ID if name == LOAN_ID.name else name for name in COLUMNS_OF)
		self.numbers, self.count, self.has_rows = raw.numbers, raw.count, raw.has_rows
		self._present = _require_columns(raw.names, column_map, where)

	@property
	def notes(self) -> list[str]:
		"""See `CsvRows`; and which columns are missing."""
		lacking = [name for name in COLUMNS_OF if name not in self._present and name != LOAN_ID.name]
		return [*self._raw.notes, *([f"without {', '.join(lacking)}: missing in every row"] if lacking else [])]

	def read(self, columns: Collection[str], batch_rows: int) -> Iterator[pa.Table]:
		"""See `CsvRows.read`. A date not in its form makes a row that cannot be read; one of two forms an InputError."""
		needed = {name for source in self._present.values() for name in source.reads}
		for table in self._raw.read({*needed, FAULT}, batch_rows):
			yield self._map_rows(table).select([name for name in (*self.names, FAULT) if name in columns])

	def _map_rows(self, table: pa.Table) -> pa.Table:
		rows = len(table)
		faults = table[FAULT] if FAULT in table.column_names else pa.chunked_array([pa.nulls(rows, pa.string())])
		made = {}
		for ours, name in zip(COLUMNS_OF, self.names, strict=True):
			source = self._present.get(ours)
			if source is None:
				made[name] = pa.nulls(rows, _TEXT)
				continue
			column = _gather(table, source)
			if COLUMNS_OF[ours].kind is Kind.MONTH and is_text(column):
				column, wrong = self._read_dates(column, ours, source)
				faults = pc.coalesce(faults, wrong)
			if source.words and not pa.types.is_temporal(column.type):
				column = _translate(column.cast(_TEXT), source.words)
			made[name] = column
		return pa.table(made | {FAULT: faults})

	def _read_dates(self, column: pa.ChunkedArray, ours: str, source: Source) -> tuple[Any, Any]:
		def say_wrong(text: str) -> str | None:
			_, wrong = read_date(text, source.date)
			return f"column {ours}: {wrong}" if wrong else None

		try:
			wrong = _map_texts(column, say_wrong).cast(pa.string())
			return _map_texts(column, lambda text: read_date(text, source.date)[0]), wrong
		except TwoFormsError as error:
			where = f"{self._where}, column {', '.join(source.reads) or ours}"
			remedy = f"Name the form in the map, {ours}: {{date: '{error.first_form}', ...}}"
			raise InputError(where, str(error), remedy) from error


def expect_columns(column_map: ColumnMap) -> Expected:
	"""What a map says of the file before it is opened."""
	plain = [
		(column, source)
		for ours, source in column_map.columns.items()
		if (column := COLUMNS_OF[ours]).kind in NUMERIC and not column.written and not source.unit
	]
	address = column_map.columns.get("address", Source(value="none"))
	return Expected(
		{fold_name(name): name for name in column_map.names},
		frozenset(name for _, source in plain for name in source.reads),
		frozenset(name for column, source in plain if column.unit.startswith("percent") for name in source.reads),
		column_map.two_lines or address.column,
		column_map.above,
		column_map.below,
		column_map.notes,
	)


def _require_columns(found: Collection[str], column_map: ColumnMap, where: str) -> dict[str, Source]:
	"""The sources that the file has, each without what is optional and not there."""
	present = {}
	for ours, source in column_map.columns.items():
		lacking = [name for name in source.reads if name not in found]
		if not lacking:
			present[ours] = source
			continue
		has_own = not set(lacking) & {source.column, *source.parts}
		may_lack = has_own or not is_needed(COLUMNS_OF[ours])
		if not (source.optional and may_lack):
			remedy = ", or write optional: true for files without it" if may_lack else ""
			raise InputError(
				f"{where}, column {lacking[0]}",
				f"the file does not have it, and the column map takes {ours} from it",
				f"{guess(lacking[0], found)}Correct the map{remedy}",
			)
		if has_own:
			present[ours] = source.model_copy(update={"instead": None})
	return present


def _gather(table: pa.Table, source: Source) -> pa.ChunkedArray:
	"""The column in LoanTap's units, several as one text, or the value of all."""
	if source.value is not None:
		return convert_units(pa.chunked_array([pa.repeat(pa.scalar(source.value, _TEXT), len(table))]), source.unit)
	if source.text:
		pieces: list[Any] = []
		for before, name, _, _ in Formatter().parse(source.text):
			pieces += [pa.scalar(before, _TEXT), *([undo_dictionary(table[name]).cast(_TEXT)] if name else [])]
		return convert_units(pc.binary_join_element_wise(*pieces, pa.scalar("", _TEXT)), source.unit)
	column = convert_units(undo_dictionary(table[source.column]), source.unit)
	if source.instead is None:
		return column
	other = convert_units(undo_dictionary(table[source.instead.column]), source.unit)
	if column.type != other.type:
		column, other = column.cast(_TEXT), other.cast(_TEXT)
	counts = pc.invert(pc.is_null(other, nan_is_null=True))
	if is_text(other):
		counts = pc.and_kleene(counts, pc.invert(pc.match_substring_regex(other, _NOT_GIVEN)))
	for name, words in source.instead.when.items():
		is_meant = pc.equal(_translate(undo_dictionary(table[name]).cast(_TEXT), dict.fromkeys(words, _MEANT)), _MEANT)
		counts = pc.and_(counts, pc.fill_null(is_meant, fill_value=False))
	return pc.if_else(counts, other, column)


def _translate(column: pa.ChunkedArray, words: Mapping[str, str]) -> pa.ChunkedArray:
	known = {fold(theirs): word for theirs, word in words.items()}
	return _map_texts(column, lambda text: known.get(fold(text), text))


def _map_texts(column: pa.ChunkedArray, function: Callable[[str], str | None]) -> pa.ChunkedArray:
	"""Apply a function once to each text of a column."""
	encoded = column.combine_chunks().dictionary_encode()
	mapped = pa.array([function(text) for text in encoded.dictionary.to_pylist()], _TEXT)
	return pa.chunked_array([mapped.take(encoded.indices)])
