"""A PostgreSQL server of our own on the loopback interface, as the warehouse."""

# ruff: noqa: S608 - statements are made of the names of our own tables

import importlib.util
import os
import secrets
import shutil
import subprocess
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.csv as pa_csv

from tools.sources.processes import KeptServer, read_end
from tools.sources.system_packages import DRIVER, POSTGRES, find_postgres, is_driver_installed

DATABASE = "loantap"
ADMIN, READER, OWNER = "postgres", "loantap_reader", "loantap_owner"
# Where the owner's tables are; the sources are in `public`.
OUTPUT_SCHEMA = "underwriting"
_SETTINGS = MappingProxyType(
	{
		"listen_addresses": "127.0.0.1",
		"unix_socket_directories": "",
		"shared_buffers": "64MB",
		"max_connections": "40",
		# Not on the full hour, so that dependence on the zone shows.
		"timezone": "Asia/Kolkata",
		"log_timezone": "UTC",
		# Outlives a crash of the server, not of the machine.
		"fsync": "off",
		"full_page_writes": "off",
		"max_wal_size": "4GB",
	}
)
_TYPES = MappingProxyType(
	{
		pa.string(): "text",
		pa.large_string(): "text",
		pa.float64(): "double precision",
		pa.int64(): "bigint",
		pa.int32(): "integer",
		pa.int16(): "smallint",
		pa.bool_(): "boolean",
		pa.date32(): "date",
	}
)


def missing() -> str | None:
	"""What has to be installed first, as a command; None when all is there."""
	if find_postgres() is None or not is_driver_installed(DRIVER):
		return f"apt-get install {POSTGRES}"
	if any(importlib.util.find_spec(name) is None for name in ("arrow_odbc", "pyodbc")):
		return "pip install loantap[odbc]"
	return None


class Postgres(KeptServer):
	"""A cluster in a folder, with a reader's login and an owner's; started on a free port.

	`loantap_reader` may SELECT the source tables in `public`; `loantap_owner` may do all in the
	schema `underwriting`, and nothing else. The user `postgres` must reach the folder when root asks.
	"""

	def __init__(self, folder: Path | None = None) -> None:
		super().__init__(folder)
		self._binaries = find_postgres() or Path()

	@property
	def connection(self) -> str:
		"""ODBC connection string of the reader."""
		return self.connect_as(READER)

	@property
	def owner_connection(self) -> str:
		"""ODBC connection string of the owner of the new tables."""
		return self.connect_as(OWNER)

	def password_of(self, role: str) -> str:
		"""Password of a role; it has what a connection string must quote."""
		return f"{role};{{{self._password}"

	def connect_as(self, role: str, *, port: int | None = None, database: str = DATABASE) -> str:
		"""ODBC connection string of a role, through another port such as a proxy's if given."""
		return (
			f"Driver={{{DRIVER}}};Server=127.0.0.1;Port={port or self.port};Database={database};"
			f"Uid={role};Pwd={{{self.password_of(role)}}};"
		)

	def start(self) -> None:
		"""Start the server, made first if it is not there; returns when it answers."""
		is_new = not (self.folder / "data" / "PG_VERSION").exists()
		if is_new:
			self._make_cluster()
		self._run(
			"pg_ctl", "start", "--wait", "--silent", f"--pgdata={self.folder / 'data'}", f"--log={self.folder / 'log'}"
		)
		if is_new:
			self._make_database()

	def halt(self) -> None:
		"""End the server as if it had crashed; `start` brings it back."""
		# A killed one leaves the file that tells its number.
		if self._try("pg_ctl", "status", f"--pgdata={self.folder / 'data'}") == 0:
			self._run("pg_ctl", "stop", "--wait", "--silent", "--mode=immediate", f"--pgdata={self.folder / 'data'}")

	def load(self, table: str, rows: pa.Table, *, database: str = DATABASE) -> None:
		"""Make a table of the sources anew with these rows, for the reader to read."""
		name = f'public."{table}"'
		columns = ", ".join(f'"{f.name}" {_type_of(f.type)}' for f in rows.schema)
		path = self.folder / f"{secrets.token_hex(4)}.csv"
		try:
			pa_csv.write_csv(rows, path)
			self.run_sql(
				f"DROP TABLE IF EXISTS {name}; CREATE TABLE {name} ({columns});"
				f"GRANT SELECT ON {name} TO {READER};"
				f"\n\\copy {name} FROM '{path}' WITH (FORMAT csv, HEADER)\nANALYZE {name};",
				database=database,
			)
		finally:
			path.unlink(missing_ok=True)

	def run_sql(self, sql: str, *, role: str = ADMIN, database: str = DATABASE) -> str:
		"""What statements answer, unaligned; the first that fails ends them."""
		done = subprocess.run(
			[
				self._binaries / "psql",
				"--no-psqlrc",
				"--quiet",
				"--tuples-only",
				"--no-align",
				"--set=ON_ERROR_STOP=1",
				"--host=127.0.0.1",
				f"--port={self.port}",
				f"--username={role}",
				f"--dbname={database}",
				"--file=-",
			],
			input=sql,
			capture_output=True,
			text=True,
			check=False,
			env=os.environ
			| {
				"PGPASSWORD": self.password_of(role),
				"PGCLIENTENCODING": "UTF8",
				# A reader left open shows as an error, not as a wait.
				"PGOPTIONS": "-c lock_timeout=20s",
			},
		)
		if done.returncode:
			raise RuntimeError(f"psql: {done.stderr.strip()}")
		return done.stdout.strip()

	def clear_output(self) -> None:
		"""Empty the schema of the owner's tables."""
		self.run_sql(f"DROP SCHEMA IF EXISTS {OUTPUT_SCHEMA} CASCADE; CREATE SCHEMA {OUTPUT_SCHEMA} AUTHORIZATION {OWNER};")

	def _make_cluster(self) -> None:
		# The cluster's user must reach it; nobody else's files are in it.
		if os.geteuid() == 0:
			shutil.chown(self.folder, ADMIN, ADMIN)
		password = self.folder / "password"
		password.touch(0o600)
		password.write_text(self.password_of(ADMIN))
		if os.geteuid() == 0:
			shutil.chown(password, ADMIN, ADMIN)
		self._run(
			"initdb",
			"--no-sync",
			"--encoding=UTF8",
			"--locale=C.UTF-8",
			f"--username={ADMIN}",
			"--auth=scram-sha-256",
			f"--pwfile={password}",
			f"--pgdata={self.folder / 'data'}",
		)
		password.unlink()
		settings = _SETTINGS | {"port": str(self.port)}
		with (self.folder / "data" / "postgresql.conf").open("a") as file:
			file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

	def _make_database(self) -> None:
		self.run_sql(f"CREATE DATABASE {DATABASE}", database="postgres")
		self.run_sql(
			f"""
            CREATE ROLE {READER} LOGIN PASSWORD '{self.password_of(READER)}';
            CREATE ROLE {OWNER} LOGIN PASSWORD '{self.password_of(OWNER)}';
            CREATE SCHEMA {OUTPUT_SCHEMA} AUTHORIZATION {OWNER};
            ALTER ROLE {OWNER} IN DATABASE {DATABASE} SET search_path = {OUTPUT_SCHEMA};
            """
		)

	def _run(self, program: str, *arguments: str) -> None:
		if self._try(program, *arguments):
			said = (self.folder / "start.log").read_text() + read_end(self.folder / "log")
			raise RuntimeError(f"{program} failed: {said}")

	def _try(self, program: str, *arguments: str) -> int:
		"""Exit code of PostgreSQL's programs, which refuse root."""
		user = ADMIN if os.geteuid() == 0 else None
		# The server inherits the handles: a pipe would never end.
		log = self.folder / "start.log"
		with log.open("w") as output:
			return subprocess.run(
				[self._binaries / program, *arguments],
				cwd=self.folder,
				user=user,
				group=user,
				extra_groups=None if user is None else [],
				stdin=subprocess.DEVNULL,
				stdout=output,
				stderr=output,
				check=False,
			).returncode


def _type_of(kind: pa.DataType) -> str:
	if pa.types.is_timestamp(kind):
		return "timestamp" if kind.tz is None else "timestamptz"
	return "numeric" if pa.types.is_decimal(kind) else _TYPES[kind]
