"""The LoanTap format: rows as text, as they stand in the CSV file and in the source tables.

Ingestion, scoring and the API read applications through the same `parse`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from loantap.portfolio.arrays import FloatArray
from loantap.portfolio.column_reading import Texts, list_problems, read_column, to_series
from loantap.portfolio.contradictions import Contradiction, find_conflicts, find_contradictions
from loantap.portfolio.dictionary import COLUMNS, Column, Kind
from loantap.portfolio.errors import InputError
from loantap.portfolio.values import MONTH_FORMAT, show_value

# Beside the columns of a file: why a row of it cannot be read, and its line; missing where it can.
FAULT = "__fault__"
# What the file itself calls a loan, where a column map says so.
GIVEN_ID = "__given_id__"
_MAX_SHOWN = 40
_LONGEST_SHOWN = 24
# At the end of an address, in as many letters; one more tells whether the state's name begins there.
_ADDRESS_END = 9
# Of a pincode whose last digits are masked, 860xx, only the state is known.
_ADDRESS = r"\b(?P<state>[A-Z]{2}) (?:(?P<pincode>\d{5})|\d{3}xx)\s*$"


@dataclass(frozen=True, slots=True)
class Parsed:
	"""Typed rows, indexed as the input, values that cannot be used missing; and what was wrong with them.

	`problems` has one row per bad value, same index: `column` (source name), `value` (as text), `reason`. What others
	of its row contradict is bad too.
	"""

	rows: pd.DataFrame
	problems: pd.DataFrame


def require_columns(frame: pd.DataFrame, columns: Sequence[Column], where: str) -> None:
	"""Raise `InputError` naming the source columns that `frame` lacks, and those it has."""
	require_names(frame.columns, columns, where)


def require_names(found: Iterable[str], columns: Sequence[Column], where: str) -> None:
	"""The same of the names of a table's columns."""
	names = [str(name) for name in found if name != FAULT]
	missing = [c.source_name for c in columns if c.source_name not in names]
	if missing:
		raise InputError(
			where,
			f"column{'s' if len(missing) > 1 else ''} {', '.join(map(str, missing))} missing",
			f"Add {'them' if len(missing) > 1 else 'it'}; the columns expected are "
			f"{', '.join(str(c.source_name) for c in columns)}; those found are {_list_found(names)}",
		)


def _list_found(names: Sequence[str]) -> str:
	shown = [name if len(name) <= _LONGEST_SHOWN else f"{name[:_LONGEST_SHOWN]}..." for name in names[:_MAX_SHOWN]]
	more = f" and {len(names) - _MAX_SHOWN} more" if len(names) > _MAX_SHOWN else ""
	return ", ".join(name or "(no name)" for name in shown) + more


def list_faults(frame: pd.DataFrame) -> pd.Series:
	"""Why a row could not be read from its file, indexed like `frame`; missing where it could."""
	return frame[FAULT] if FAULT in frame else pd.Series(np.nan, index=frame.index, dtype="str")


def parse(frame: pd.DataFrame, columns: Sequence[Column], as_of: pd.Timestamp) -> Parsed:
	"""Type and check rows in LoanTap format, by source name; text or already typed.

	A month after `as_of` is a problem.
	"""
	parsed: dict[str, pd.Series] = {}
	numbers: dict[str, FloatArray] = {}
	problems: list[pd.DataFrame] = []
	for column in columns:
		raw = frame[column.source_name]
		read = read_column(raw, column, as_of)
		parsed[column.name] = to_series(read.values, column, frame.index)
		if not isinstance(read.values, Texts):
			numbers[column.name] = read.values
		if not read.is_good:
			problems.append(list_problems(raw, column, read))
	rows = pd.DataFrame(parsed, index=frame.index)
	found = [*find_contradictions(numbers), *find_conflicts(rows)]
	if found or not problems:
		problems.append(_list_contradictions(frame, found))
	return Parsed(rows, pd.concat(problems))


def _list_contradictions(frame: pd.DataFrame, found: Sequence[Contradiction]) -> pd.DataFrame:
	names = [str(COLUMNS[each.column].source_name) for each in found]
	places = [each.row for each in found]
	return pd.DataFrame(
		{
			"column": names,
			"value": [show_value(frame[n].iloc[p]) for n, p in zip(names, places, strict=True)],
			"reason": [each.reason for each in found],
		},
		index=frame.index[places],
		dtype="str",
	)


def render(rows: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
	"""Write typed canonical rows in LoanTap format: the inverse of `parse`.

	Numbers stay float64; names are those of the source.

	>>> loans = pd.DataFrame({"term_months": [36.0], "employment_years": [10.0]})
	>>> loans["issue_month"] = pd.Timestamp("2015-01-01")
	>>> render(loans, [COLUMNS[name] for name in loans]).to_dict("list")
	{'term': [' 36 months'], 'emp_length': ['10+ years'], 'issue_d': ['Jan-2015']}
	"""
	written: dict[str, pd.Series] = {}
	for column in columns:
		values = rows[column.name]
		if column.kind is Kind.MONTH:
			months = pd.Series(values.dropna().unique())
			values = values.map(dict(zip(months, months.dt.strftime(MONTH_FORMAT), strict=True)))
			values = values.astype("str")
		elif column.name == "term_months":
			values = values.map({v: f" {v:g} months" for v in column.values})
		elif column.name == "employment_years":
			names = {0.0: "< 1 year", 1.0: "1 year", 10.0: "10+ years"}
			values = values.map(names | {float(n): f"{n} years" for n in range(2, 10)})
		written[str(column.source_name)] = values
	return pd.DataFrame(written, index=rows.index)


def split_address(address: pd.Series) -> pd.DataFrame:
	"""State (AA, AE, AP for the military) and pincode read from two-line addresses.

	Columns `state` and `pincode`, missing where the form is another.
	"""
	ends = address.astype("str").str.rstrip().str[-_ADDRESS_END:]
	# Thousands of addresses have one end; looking for it in each took a third of the join.
	distinct = ends.drop_duplicates()
	return distinct.str.extract(_ADDRESS).set_axis(distinct).reindex(ends).set_axis(address.index)
