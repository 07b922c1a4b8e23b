"""Typed, valid rows out of raw ones; the others go to quarantine with a reason each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from loantap.portfolio.contradictions import count_exceptions, require_few_exceptions
from loantap.portfolio.dictionary import (
	CHARGED_OFF,
	KEYS,
	LOAN_ID,
	ORIGIN,
	ORIGINS,
	UPDATED_AT,
	Table,
	columns_of,
	portfolio_columns,
)
from loantap.portfolio.errors import InputError
from loantap.portfolio.identity import ContentIds, read_ids, unify_uuids
from loantap.portfolio.loantap_format import GIVEN_ID, list_faults, parse, require_columns
from loantap.portfolio.statuses import LEFT_OUT, Statuses, read_statuses
from loantap.portfolio.units import UnitCounts

_FILE = "portfolio file"
_BOOKKEEPING = (LOAN_ID.name, UPDATED_AT.name, ORIGIN.name)
_STABLE = tuple(str(c.source_name) for c in portfolio_columns() if c.name != "loan_status")
_MAX_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Cleaned:
	"""Rows kept, typed, and rows set aside; together they are the rows that came in.

	`quarantine` has `loan_id`, `row` (its number in the input, from 1) and `reason`.
	"""

	rows: pd.DataFrame
	quarantine: pd.DataFrame


def clean_source_table(
	raw: pd.DataFrame, table: Table, as_of: pd.Timestamp, statuses: Statuses | None = None
) -> Cleaned:
	"""Type, check and deduplicate the rows of one source table; the latest of equal keys stays.

	`raw` as extracted: source names, `loan_id`, `updated_at`, `origin`. `statuses` adds to the known words.

	Raises:
		InputError: a column is missing, or a status is unknown.
	"""
	columns = columns_of(table)
	missing = [name for name in _BOOKKEEPING if name not in raw.columns]
	if missing:
		raise InputError(
			f"source table {table}",
			f"column {', '.join(missing)} missing",
			"Add it: every source table has loan_id, updated_at and origin",
		)
	require_columns(raw, columns, f"source table {table}")
	raw = raw.set_axis(pd.RangeIndex(len(raw)))
	left_out = pd.Series(np.nan, index=raw.index, dtype="str")
	if table is Table.LOANS:
		read = read_statuses(raw["loan_status"], statuses or Statuses(), f"source table {table}")
		raw, left_out = raw.assign(loan_status=read.words), read.left_out
	parsed = parse(raw, columns, as_of)
	rows = parsed.rows.assign(
		loan_id=unify_uuids(read_ids(raw["loan_id"])),
		updated_at=_to_instant(raw["updated_at"]),
		origin=raw["origin"].astype("str").str.strip(),
	)
	# What never was a loan has no terms either, and that is no fault.
	reasons = describe_problems(parsed.problems, rows.index).where(left_out.isna())
	reasons = reasons.mask(rows["loan_id"].isna(), "loan_id is missing")
	reasons = reasons.mask(~rows["origin"].isin(ORIGINS), "origin is neither real nor simulated")
	reasons = reasons.mask(rows["updated_at"].isna(), "updated_at is not a time")
	keys = list(KEYS[table])
	usable = rows.loc[reasons.isna(), [*keys, "updated_at"]]
	latest_first = usable.sort_values("updated_at", ascending=False, kind="stable")
	repeated = latest_first.duplicated(keys).reindex(rows.index, fill_value=False)
	reasons = reasons.mask(repeated, f"repeats the {' and '.join(keys)} of a row as new or newer")
	return set_aside(rows, reasons.fillna(left_out))


def _to_instant(values: pd.Series) -> pd.Series:
	read = pd.to_datetime(values, errors="coerce", utc=True)
	return read.dt.tz_localize(None).astype("datetime64[s]")


def read_portfolio(
	batches: Iterable[pd.DataFrame],
	as_of: pd.Timestamp,
	tolerated_bad_share: float,
	max_exceptions: float = 0.1,
	statuses: Statuses | None = None,
) -> Iterator[Cleaned]:
	"""Check a portfolio in LoanTap format as a file gave it, batch by batch: 27 columns, as text.

	`tolerated_bad_share` of all rows may be bad, `max_exceptions` of loans have an instalment not of their terms.

	Yields:
		Canonical rows by `loan_id`: the file's (`GIVEN_ID`), or made from all columns but the outcome, which can still
		change; and rows that are bad or left out.

	Raises:
		InputError: no rows, a missing column or one in another unit throughout, an unknown status, more bad rows or
			such loans than tolerated.
	"""
	account, meanings = _FileAccount(), statuses or Statuses()
	identified: _Identified | None = None
	for batch in batches:
		csv = batch.set_axis(pd.RangeIndex(account.rows, account.rows + len(batch)))
		require_columns(csv, portfolio_columns(), _FILE)
		# In a row that could not be read the words of other columns may stand there.
		readable = csv["loan_status"].where(list_faults(csv).isna())
		read = read_statuses(readable, meanings, _FILE)
		parsed = parse(csv.assign(loan_status=read.words), portfolio_columns(), as_of)
		identified = identified or _Identified(has_own=GIVEN_ID in csv)
		ids, repeats = identified.number(csv)
		rows = parsed.rows.assign(loan_id=ids)
		problems = describe_problems(parsed.problems, rows.index).where(read.left_out.isna())
		reasons = list_faults(csv).fillna(problems)
		reasons = reasons.mask(repeats & reasons.isna(), "repeats an earlier row")
		account.add_bad(set_aside(rows, reasons).quarantine, len(csv))
		cleaned = set_aside(rows, reasons.fillna(read.left_out))
		account.add_good(cleaned.rows)
		yield cleaned
	account.require_usable(tolerated_bad_share, max_exceptions)


class _Identified:
	"""The loans of a file, told apart by its own ids where it has them, or else by content."""

	def __init__(self, *, has_own: bool) -> None:
		self._has_own = has_own
		self._made = ContentIds([*_STABLE, GIVEN_ID] if has_own else _STABLE)
		self._given = ContentIds([GIVEN_ID])

	def number(self, csv: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
		"""Identifiers of the next rows, and whether each repeats an earlier row."""
		own = read_ids(csv[GIVEN_ID]) if self._has_own else None
		if own is not None and own.notna().all():
			return own, _repeats(self._given.number(own.to_frame()))
		made = self._made.number(csv)
		if own is None:
			return made, _repeats(made)
		named = own.dropna()
		repeats = _repeats(made)
		repeats[named.index] |= _repeats(self._given.number(named.to_frame()))
		return own.fillna(made), repeats


def _repeats(ids: pd.Series) -> pd.Series:
	return ~ids.str.endswith("-1")


@dataclass(slots=True)
class _FileAccount:
	"""What is asked of a whole file, added up over its batches."""

	rows: int = 0
	good: int = 0
	bad: int = 0
	exceptions: int = 0
	first_bad: list[str] = field(default_factory=list)
	units: UnitCounts = field(default_factory=UnitCounts)

	def add_bad(self, quarantine: pd.DataFrame, rows: int) -> None:
		self.rows += rows
		self.bad += len(quarantine)
		shown = quarantine.head(_MAX_SHOWN - len(self.first_bad))
		self.first_bad += [f"row {row.row:,}: {row.reason}" for row in shown.itertuples()]

	def add_good(self, rows: pd.DataFrame) -> None:
		self.good += len(rows)
		self.exceptions += count_exceptions(rows)
		self.units.add_frame(rows)

	def require_usable(self, tolerated_share: float, max_exceptions: float) -> None:
		if not self.rows:
			raise InputError(_FILE, "it has no rows", "Give a file with loans in it")
		if self.bad > tolerated_share * self.rows or self.bad == self.rows:
			raise self._refuse_bad()
		if not self.good:
			raise InputError(_FILE, "all its rows are left out", "Give a file with loans in it")
		self.units.require_known_units(_FILE)
		name = "sources.max_instalment_exceptions"
		require_few_exceptions(_FILE, self.exceptions, self.good, max_exceptions, name)

	def _refuse_bad(self) -> InputError:
		more = f"; and {self.bad - _MAX_SHOWN:,} more" if self.bad > _MAX_SHOWN else ""
		remedy = "Correct or remove them"
		if self.bad < self.rows:
			share = _round_up(self.bad / self.rows)
			remedy += f", or set them aside with --params sources.tolerated_bad_share={share}"
		else:
			remedy = "Correct them: none would be left if they were set aside"
		problem = f"{self.bad:,} of {self.rows:,} rows cannot be used ({'; '.join(self.first_bad)}{more})"
		return InputError(_FILE, problem, remedy)


def set_aside(rows: pd.DataFrame, reasons: pd.Series) -> Cleaned:
	"""Divide rows by whether a reason against them is given."""
	bad = reasons.notna()
	quarantine = pd.DataFrame(
		{
			"loan_id": rows.loc[bad, "loan_id"].astype("str"),
			"row": rows.index[bad].to_numpy() + 1,
			"reason": reasons[bad].astype("str"),
		}
	)
	return Cleaned(rows[~bad].reset_index(drop=True), quarantine.reset_index(drop=True))


def no_quarantine() -> pd.DataFrame:
	"""A quarantine of no rows."""
	return set_aside(pd.DataFrame({"loan_id": []}), pd.Series()).quarantine


def describe_problems(problems: pd.DataFrame, index: pd.Index) -> pd.Series:
	"""All problems of a row in one text; missing where there are none. Indexed by `index`."""
	texts = problems["column"] + " '" + problems["value"] + "' is " + problems["reason"]
	joined = texts.groupby(texts.index).agg("; ".join).astype("str")
	return joined.reindex(index).astype("str")


def is_left_out(reasons: pd.Series) -> pd.Series:
	"""Which rows of a quarantine are no loans to be judged, by their reasons."""
	return reasons.str.startswith(LEFT_OUT)


def mark_outcome(loan_status: pd.Series) -> pd.Series:
	"""The target of resolved loans: 1 for charged off, 0 for fully paid, as int8."""
	return loan_status.eq(CHARGED_OFF).astype("int8")


def _round_up(share: float) -> str:
	return f"{min(share * 1.01 + 1e-4, 0.99):.4f}"
