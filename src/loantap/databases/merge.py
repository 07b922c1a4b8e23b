"""Brings a table up to date from a staged one, in SQL that PostgreSQL and DuckDB share."""

# ruff: noqa: S608 - statements are made of names, which are quoted, and never of values

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from loantap.databases.backends.interface import Query, Transaction, quote
from loantap.databases.sql_rows import sql_type
from loantap.portfolio.errors import InputError

# Place of a row among those of a run; in staging tables only.
POSITION = "__row"

logger = logging.getLogger(__name__)


class Mode(StrEnum):
	"""What becomes of rows that are not among the new ones."""

	REPLACE = "replace"  # they are deleted: the table is what the run made
	UPSERT = "upsert"  # they stay; of rows with the same key the last one counts


@dataclass(frozen=True, slots=True)
class Changes:
	"""Rows of a table that were changed; `repeated` were passed over, as a later one has the same key."""

	inserted: int
	updated: int
	deleted: int
	unchanged: int
	repeated: int

	def __str__(self) -> str:
		text = (
			f"{self.inserted:,} rows inserted, {self.updated:,} updated, {self.deleted:,} deleted, "
			f"{self.unchanged:,} unchanged"
		)
		if self.repeated:
			text += f", {self.repeated:,} passed over for a later one with the same key"
		return text


@dataclass(frozen=True, slots=True)
class Staged:
	"""Rows that wait in a staging table; `schema` is that of `RowShaper`, without the position."""

	name: str
	schema: pa.Schema
	rows: int


@dataclass(frozen=True, slots=True)
class Merge:
	"""How a table is kept; `key` are the columns that tell its rows apart."""

	where: str
	table: str
	key: tuple[str, ...]
	mode: Mode

	def apply(self, staged: Staged, transaction: Transaction) -> Changes:
		"""Make or migrate the table, then delete, update and insert what differs.

		The table is never dropped: grants, views and indexes stay.

		Raises:
			InputError: rows were lost on the way, a key is there twice, or a column has another type. Nothing is written
				then.
		"""
		transaction.lock(self.table)
		present = describe_columns(self.table, transaction)
		if present:
			migration = self._plan_migration(staged.schema, present)
		else:
			indexed = transaction.is_row_store
			migration = [create_statement(self.table, staged.schema, self.key, indexed=indexed)]
		self._require_all(staged, transaction)
		repeated = self._settle_repeated(staged, transaction)
		for statement in migration:
			transaction.execute(statement)
		# Who takes a row out to put it in again would lose what only the old one has.
		is_whole = {column.name for column in present} <= set(staged.schema.names)
		in_place = transaction.is_row_store or not is_whole
		return self._write(staged, repeated, transaction, in_place=in_place)

	def _plan_migration(self, schema: pa.Schema, present: Sequence[_Column]) -> list[str]:
		types = {column.name: column.type for column in present}
		statements = []
		for field in schema:
			wanted = sql_type(field.type)
			if field.name not in types:
				logger.info("%s: column %s is new and is added", self.where, field.name)
				statements.append(f"ALTER TABLE {quote(self.table)} ADD COLUMN {quote(field.name)} {wanted.name}")
			elif types[field.name] not in wanted.known_as:
				raise InputError(
					self.where,
					f"column {field.name} is of type {types[field.name]}, and its new values are {wanted.name}",
					f"Convert it with ALTER TABLE {quote(self.table)} ALTER COLUMN "
					f"{quote(field.name)} TYPE {wanted.name}, or rename the table",
				)
		for column in present:
			if column.name not in schema.names:
				logger.warning(
					"%s: this release no longer fills column %s; it stays, empty in new rows", self.where, column.name
				)
				if not column.is_nullable:
					statements.append(f"ALTER TABLE {quote(self.table)} ALTER COLUMN {quote(column.name)} DROP NOT NULL")
		return statements

	def _require_all(self, staged: Staged, transaction: Transaction) -> None:
		# A first attempt may have settled repeated keys already.
		last = f"SELECT coalesce(max({quote(POSITION)}) + 1, 0) FROM {quote(staged.name)}"
		((arrived,),) = transaction.fetch(Query(last))
		if arrived != staged.rows:
			raise InputError(
				self.where,
				f"{staged.rows:,} rows were sent, and {arrived:,} are in the staging table",
				"Run again; if it happens twice, find out who else writes to that table",
			)

	def _require_exactly(self, rows: int, staged: Staged, transaction: Transaction) -> None:
		held = f"SELECT count(*) FROM {quote(self.table)} AS t"
		if self.mode is Mode.UPSERT:
			same = _same(self.key, "t", "s")
			held += f" WHERE EXISTS (SELECT 1 FROM {quote(staged.name)} AS s WHERE {same})"
		((found,),) = transaction.fetch(Query(held))
		if found != rows:
			raise InputError(
				self.where,
				f"the merge would leave {found:,} of the run's rows in the table, not {rows:,}",
				"The table is as it was; run again, and if it happens twice, report it",
			)

	def _settle_repeated(self, staged: Staged, transaction: Transaction) -> int:
		"""Keep the last of rows with the same key, or refuse them; the number removed."""
		key, name = _list(self.key), quote(staged.name)
		grouped = f"FROM {name} GROUP BY {key} HAVING count(*) > 1"
		if self.mode is Mode.UPSERT:
			return transaction.execute(
				f"DELETE FROM {name} AS s USING "
				f"(SELECT {key}, max({quote(POSITION)}) AS last_row {grouped}) AS r "
				f"WHERE {_same(self.key, 's', 'r')} AND s.{quote(POSITION)} < r.last_row"
			)
		found = transaction.fetch(Query(f"SELECT {key}, count(*) {grouped} ORDER BY {key} LIMIT 1"))
		if found:
			*values, rows = found[0]
			example = ", ".join(f"{n} {v}" for n, v in zip(self.key, values, strict=True))
			raise InputError(
				self.where,
				f"the key {' and '.join(self.key)} is not unique: {rows:,} rows have {example}",
				"Remove the duplicate rows; the table is as it was",
			)
		return 0

	def _write(self, staged: Staged, repeated: int, transaction: Transaction, *, in_place: bool) -> Changes:
		names, source = staged.schema.names, f"{quote(staged.name)} AS s"
		target, same = f"{quote(self.table)} AS t", _same(self.key, "t", "s")
		values = [name for name in names if name not in self.key]
		transaction.execute(f"ANALYZE {quote(staged.name)}")
		deleted = updated = 0
		if self.mode is Mode.REPLACE:
			deleted = transaction.execute(f"DELETE FROM {target} WHERE NOT EXISTS (SELECT 1 FROM {source} WHERE {same})")
		if values:
			changes = ", ".join(f"{quote(name)} = s.{quote(name)}" for name in values)
			differs = " OR ".join(f"t.{quote(n)} IS DISTINCT FROM s.{quote(n)}" for n in values)
			updated = transaction.execute(
				f"UPDATE {target} SET {changes} FROM {source} WHERE {same} AND ({differs})"
				if in_place
				else f"DELETE FROM {target} USING {source} WHERE {same} AND ({differs})"
			)
		missing = transaction.execute(
			f"INSERT INTO {quote(self.table)} ({_list(names)}) SELECT {_list(names, 's')} "
			f"FROM {source} WHERE NOT EXISTS (SELECT 1 FROM {target} WHERE {same})"
		)
		inserted = missing if in_place else missing - updated
		# An index on the key would refuse a row that is put in twice.
		if self.mode is Mode.REPLACE or not transaction.is_row_store:
			self._require_exactly(staged.rows - repeated, staged, transaction)
		unchanged = staged.rows - repeated - inserted - updated
		return Changes(inserted, updated, deleted, unchanged, repeated)


@dataclass(frozen=True, slots=True)
class _Column:
	name: str
	type: str
	is_nullable: bool


def describe_columns(table: str, transaction: Transaction) -> list[_Column]:
	"""Columns of a table in our own schema; none where there is no such table."""
	rows = transaction.fetch(
		Query(
			"SELECT column_name, data_type, is_nullable FROM information_schema.columns "
			"WHERE table_schema = current_schema() AND table_name = ? ORDER BY ordinal_position",
			(table,),
		)
	)
	return [_Column(name, str(kind).lower(), able == "YES") for name, kind, able in rows]


def list_tables(prefix: str, transaction: Transaction) -> list[str]:
	"""Names in our own schema that begin so."""
	rows = transaction.fetch(
		Query(
			"SELECT table_name FROM information_schema.tables WHERE "
			"table_schema = current_schema() AND starts_with(table_name, ?) ORDER BY table_name",
			(prefix,),
		)
	)
	return [name for (name,) in rows]


def create_statement(
	table: str, schema: pa.Schema, key: Sequence[str] = (), kind: str = "TABLE", *, indexed: bool = True
) -> str:
	"""The statement that makes a table of ours, with or without an index on its key."""
	columns = [f"{quote(field.name)} {sql_type(field.type).name}{' NOT NULL' * (field.name in key)}" for field in schema]
	constraints = [f"PRIMARY KEY ({_list(key)})"] if key and indexed else []
	return f"CREATE {kind} {quote(table)} ({', '.join(columns + constraints)})"


def _list(names: Iterable[str], alias: str = "") -> str:
	return ", ".join(f"{alias}.{quote(n)}" if alias else quote(n) for n in names)


def _same(key: Iterable[str], one: str, other: str) -> str:
	return " AND ".join(f"{one}.{quote(name)} = {other}.{quote(name)}" for name in key)
