from dataclasses import dataclass
from datetime import UTC
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from tools.sources.derby import READER as DB2_READER
from tools.sources.derby import SCHEMA as DB2_SCHEMA
from tools.sources.derby import Derby
from tools.sources.postgres import READER, Postgres
from tools.sources.thrift_server import ThriftServer


@dataclass
class _OnSql:
	"""A server whose owner speaks SQL; `probes`: connections of the driver before the one meant."""

	server: Postgres | Derby
	reader: ClassVar[str]
	table: ClassVar[str]
	probes: ClassVar[int]

	@property
	def port(self):
		return self.server.port

	@property
	def secret(self):
		return self.server.password_of(self.reader)

	def connect(self, port=None):
		return self.server.connect_as(self.reader, port=port)

	def load(self, rows):
		self.server.load("loans", rows)

	def regrade(self, loan_id, grade, at):
		self.server.run_sql(
			f"UPDATE {self.table} SET grade = '{grade}', "
			f"updated_at = CAST('{at.isoformat(sep=' ')}' AS TIMESTAMP) "
			f"WHERE loan_id = '{loan_id}';"
		)

	def deny(self):
		self.server.run_sql(f"REVOKE SELECT ON {self.table} FROM {self.reader};")

	def allow(self):
		self.server.run_sql(f"GRANT SELECT ON {self.table} TO {self.reader};")


class OnPostgres(_OnSql):
	reader, table, probes = READER, "loans", 0


class OnDb2(_OnSql):
	reader, table, probes = DB2_READER, f"{DB2_SCHEMA}.loans", 1


@dataclass
class OnDatabricks:
	"""Spark, as Databricks; rights are the front's, as Spark has none."""

	server: ThriftServer
	probes: int = 0

	@property
	def port(self):
		return self.server.port

	@property
	def secret(self):
		return self.server.token

	def connect(self, port=None):
		return self.server.connect_as(self.server.token, port=port)

	def load(self, rows):
		self.server.load("loans", rows)

	def regrade(self, loan_id, grade, at):
		"""Plain files know no UPDATE: as Delta would, it writes their rows anew."""
		held = pq.read_table(self.server.folder / "tables" / "loans" / "rows.parquet")
		rows = held.to_pylist()
		for row in rows:
			if row["loan_id"] == loan_id:
				row.update(grade=grade, updated_at=at.replace(tzinfo=UTC))
		self.load(pa.Table.from_pylist(rows, held.schema))

	def deny(self):
		self.server.allow([self.secret], denied=["loans"])

	def allow(self):
		self.server.allow([self.secret])
