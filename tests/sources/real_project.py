import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from loantap.databases.backends import make_backend
from loantap.databases.backends.interface import Query
from loantap.portfolio.dictionary import Table
from tests.support.temporary_project import make_project
from tools.sources.derby import Derby
from tools.sources.loader import make_tables
from tools.sources.postgres import OUTPUT_SCHEMA, Postgres
from tools.sources.thrift_server import ThriftServer

LOANS, SEED, AS_OF = 1_000, 42, "2026-11-23"
PRIMARY = ("loans", "loan_months", "instalment_exceptions", "reconciliation")
# What Rich puts at the end of a log's first line, in the middle of a text that goes on below.
_LOGGED_BY = re.compile(r"\s\w+\.py:\d+\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Servers:
	postgres: Postgres
	db2: Derby
	databricks: ThriftServer

	@property
	def variables(self):
		return {
			"LOANTAP_WAREHOUSE": self.postgres.connection,
			"LOANTAP_WAREHOUSE_OUTPUT": self.postgres.owner_connection,
			"LOANTAP_APPSTREAM": self.db2.connection,
			"LOANTAP_BUSINESS_EVENTS": self.databricks.connection,
		}

	@property
	def secrets(self):
		"""The part of each password or token that is made up anew each time."""
		token = self.databricks.token.removeprefix("dapi/").removesuffix("+==")
		return [self.postgres._password, self.db2._password, token]

	@property
	def systems(self):
		return {Table.LOANS: self.postgres, Table.APPLICATIONS: self.db2, Table.LOAN_EVENTS: self.databricks}

	def load(self, tables):
		"""Fill the sources, and leave nothing in the schema of our own tables."""
		for table, system in self.systems.items():
			system.load(table, tables[table])
		self.postgres.clear_output()

	def read_sources(self):
		return {table: read_rows(system.connection, f"SELECT * FROM {table}") for table, system in self.systems.items()}

	def written(self):
		"""A digest of each table in the warehouse's schema of ours, and of who wrote its rows."""
		listed = f"SELECT tablename FROM pg_tables WHERE schemaname = '{OUTPUT_SCHEMA}'"
		return {
			name: self.postgres.run_sql(
				f"SELECT count(*), md5(string_agg(t::text || xmin, '' ORDER BY t::text)) FROM {OUTPUT_SCHEMA}.{name} t"
			)
			for name in self.postgres.run_sql(listed).split()
		}


def read_rows(connection, statement):
	return make_backend("system", {"connection": connection}).read(Query(statement)).read_all()


def make_demo_tables():
	return make_tables(LOANS, SEED, date.fromisoformat(AS_OF))


@contextmanager
def in_environment(servers):
	with pytest.MonkeyPatch.context() as patch:
		for name, text in servers.variables.items():
			patch.setenv(name, text)
		yield


def make_empty(folder, empty_store):
	shutil.copy(empty_store, folder)
	return make_project(folder)


def run_real(project, pipeline):
	"""`kedro run --env odbc` of one pipeline, on the day of the tests."""
	return project.run("--env", "odbc", "--pipelines", pipeline, "--params", f"as_of={AS_OF}")


def ingest(project):
	result = run_real(project, "ingestion")
	assert result.exit_code == 0, result.output
	return result


def unwrap(output):
	"""What was said, without what wrapping has put between its words and into them."""
	return " ".join(_LOGGED_BY.sub("", output).split())


def read_cells(output):
	"""The cells of each line of a table that Rich has drawn."""
	lines = [line for line in output.splitlines() if line.startswith("│")]
	return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def find_secrets(output, project, servers):
	"""Where a secret shows: in what a run said, or in any file of the project."""
	secrets = servers.secrets
	assert all(len(secret) >= 16 for secret in secrets)
	# A long word goes on in the line below, in a table in the same column.
	columns = ["".join(column) for column in zip(*read_cells(output), strict=True)]
	said = "".join("".join([_LOGGED_BY.sub("", output), *columns]).split())
	found = [f"output: {secret}" for secret in secrets if secret in said]
	for path in filter(Path.is_file, project.folder.rglob("*")):
		content = path.read_bytes()
		found += [f"{path}: {secret}" for secret in secrets if secret.encode() in content]
	return found
