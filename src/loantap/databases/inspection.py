"""Whether the source systems, and the place our own tables go to, can be used as they are."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import pandas as pd
import pyarrow as pa

from loantap.databases.backends import make_writable
from loantap.databases.backends.interface import quote
from loantap.databases.source_table import SourceTable
from loantap.portfolio.errors import InputError


class TargetSystem:
	"""A system that tables of ours are written to, by credentials as `make_writable` takes them."""

	def __init__(self, system: str, credentials: dict[str, Any]) -> None:
		self.where = f"{system}, our own tables"
		self._credentials = credentials

	def try_writing(self) -> None:
		"""Make a table of one row and remove it, in one transaction; see `WritableBackend`."""
		# Two may check at the same time.
		name = f"check__{secrets.token_hex(4)}"
		with make_writable(self.where, self._credentials).transaction() as transaction:
			transaction.execute(f"CREATE TABLE {quote(name)} (number BIGINT)")
			transaction.insert(name, pa.table({"number": pa.array([1], pa.int64())}))
			transaction.execute(f"DROP TABLE {quote(name)}")


class Outcome(StrEnum):
	"""What a check came to."""

	FINE = "fine"
	NOTE = "note"  # worth knowing; a run goes on
	FAULT = "fault"  # a run would stop here


@dataclass(frozen=True, slots=True)
class Finding:
	"""One check of one table; the remedy is "" where nothing is to be done."""

	where: str
	check: str
	outcome: Outcome
	found: str
	remedy: str = ""


@dataclass(frozen=True, slots=True)
class Inspection:
	"""A look at all systems, taken when it is saved; `as_of` is the day's end, UTC."""

	sources: tuple[SourceTable, ...]
	target: TargetSystem
	as_of: datetime

	def look(self) -> pd.DataFrame:
		"""What was found, one row per check: where, check, outcome, found, remedy."""
		found = [each for source in self.sources for each in inspect_source(source, self.as_of)]
		return pd.DataFrame([*found, inspect_target(self.target)])


def inspect_source(source: SourceTable, as_of: datetime) -> Iterator[Finding]:
	"""Driver, login and table; columns; rows; times (to `as_of`, UTC), until the first fault."""
	where = source.where
	try:
		with source.in_time():
			schema = source.describe()
			yield Finding(where, "connection", Outcome.FINE, "driver, login and table answer")
			beyond = source.hold_to_contract(schema)
			source.try_query()
			yield _report_columns(where, len(schema) - len(beyond), beyond)
			account = source.account()
	except InputError as error:
		yield Finding(where, _name_check(error), Outcome.FAULT, error.problem, error.remedy)
		return
	if not account.rows:
		yield Finding(where, "rows", Outcome.FAULT, "the table has none", "Fill it, or name another")
		return
	yield Finding(where, "rows", Outcome.FINE, f"{account.rows:,}")
	if account.last_update is None:
		yield Finding(
			where,
			"updated_at",
			Outcome.FAULT,
			"no row has a time; rows without one are not used",
			"Have it filled at the source with the time of each row's last change, in UTC",
		)
		return
	span = f"{account.first_update:%Y-%m-%d} to {account.last_update:%Y-%m-%d %H:%M} UTC"
	if account.last_update > as_of:
		yield Finding(
			where,
			"updated_at",
			Outcome.NOTE,
			f"{span}, which is in the future",
			"Have the clock at the source, or the zone it writes, put right: times are UTC",
		)
	else:
		yield Finding(where, "updated_at", Outcome.FINE, span)


def inspect_target(target: TargetSystem) -> Finding:
	"""Whether a table can be made, written and removed where ours go to."""
	try:
		target.try_writing()
	except InputError as error:
		return Finding(target.where, "writing", Outcome.FAULT, error.problem, error.remedy)
	return Finding(target.where, "writing", Outcome.FINE, "a table was made, written and removed again")


def _report_columns(where: str, expected: int, beyond: frozenset[str]) -> Finding:
	if not beyond:
		return Finding(where, "columns", Outcome.FINE, f"all {expected}")
	more = f"all {expected}; not read: {', '.join(sorted(beyond))}"
	return Finding(where, "columns", Outcome.NOTE, more)


def _name_check(error: InputError) -> str:
	return "columns" if error.problem.startswith(("column ", "a column ")) else "connection"
