"""Apache Derby's network server on the loopback interface, as DB2: both speak DRDA."""

import importlib.util
import secrets
import subprocess
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from tools.sources.processes import KeptServer, Process
from tools.sources.system_packages import DERBY, DERBY_JARS, JAVA, has_derby, has_java

DATABASE, SCHEMA = "APPSTRM", "APPSTREAM"
READER, OWNER = "loantap_reader", "loantap_owner"
_NO_SUCH_TABLE = "42Y55"
# Tables are on disk; the quick compiler starts sooner.
_JAVA = ("-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8")
_TYPES = {
	pa.float64(): "DOUBLE",
	pa.int64(): "BIGINT",
	pa.int32(): "INTEGER",
	pa.int16(): "SMALLINT",
	pa.date32(): "DATE",
}


def missing() -> str | None:
	"""What has to be installed first, as a command; None when all is there."""
	if not (has_java() and has_derby()):
		return f"apt-get install {JAVA} {DERBY}"
	if importlib.util.find_spec("ibm_db") is None:
		return "pip install loantap[db2]"
	return None


class Derby(KeptServer):
	"""A database in a folder, with a reader's login, behind the front that speaks IBM's dialect.

	`loantap_reader` may SELECT the tables that were loaded, and nothing else.
	"""

	@property
	def connection(self) -> str:
		"""URL of the reader."""
		return self.connect_as(READER)

	def password_of(self, user: str) -> str:
		"""Password of a user; it has what a URL must quote."""
		return f"{user}@{{%/{self._password}"

	def connect_as(
		self, user: str, *, password: str | None = None, port: int | None = None, database: str = DATABASE
	) -> str:
		"""URL of a user, through another port such as a proxy's if given."""
		secret = quote(password or self.password_of(user), safe="")
		return (
			f"db2+ibm_db://{user}:{secret}@127.0.0.1:{port or self.port}/{database}"
			f"?Authentication=SERVER&CurrentSchema={SCHEMA}"
		)

	def start(self) -> None:
		"""Start the server and its front, made first if not there; returns when they answer."""
		self._write_properties()
		log = self.folder / "derby.out"
		server = Process.start(
			[
				"java",
				*_JAVA,
				f"-Dderby.system.home={self.folder}",
				"-cp",
				_class_path(),
				"org.apache.derby.drda.NetworkServerControl",
				"start",
				"-h",
				"127.0.0.1",
				"-p",
				str(self._behind),
				"-noSecurityManager",
			],
			log,
		)
		server.wait_for_port(self._behind, log, within_s=60)
		self._start_front(server, "tools.sources.drda_front")
		if not (self.folder / DATABASE).exists():
			self.run_sql(f"CREATE SCHEMA {SCHEMA};")

	def load(self, table: str, rows: pa.Table) -> None:
		"""Make a table anew with these rows, for the reader to read."""
		name = f"{SCHEMA}.{table.upper()}"
		columns = ", ".join(f"{field.name.upper()} {_type_of(rows.column(field.name))}" for field in rows.schema)
		path = self.folder / f"{secrets.token_hex(4)}.csv"
		try:
			pa_csv.write_csv(rows, path, pa_csv.WriteOptions(include_header=False))
			self.run_sql(
				f"DROP TABLE {name};"
				f"CREATE TABLE {name} ({columns});"
				f"CALL SYSCS_UTIL.SYSCS_IMPORT_TABLE('{SCHEMA}', '{table.upper()}', '{path}', "
				f"',', '\"', 'UTF-8', 1);"
				f"GRANT SELECT ON {name} TO {READER};",
				may_fail=_NO_SUCH_TABLE,
			)
		finally:
			path.unlink(missing_ok=True)

	def run_sql(self, sql: str, *, may_fail: str = "no error") -> str:
		"""What the owner's statements answer, as Derby's `ij` writes it.

		Raises:
			RuntimeError: one failed, with another error than it `may_fail` with.
		"""
		url = (
			f"jdbc:derby://127.0.0.1:{self._behind}/{DATABASE};create=true;user={OWNER};password={self.password_of(OWNER)}"
		)
		script = self.folder / f"{secrets.token_hex(4)}.sql"
		script.touch(0o600)
		script.write_text(f"CONNECT '{url}';\n{sql}\n", encoding="utf-8")
		done = subprocess.run(
			[  # noqa: S607
				"java",
				*_JAVA,
				"-Dij.exceptionTrace=false",
				"-cp",
				_class_path(),
				"org.apache.derby.tools.ij",
				str(script),
			],
			cwd=self.folder,
			capture_output=True,
			text=True,
			check=False,
		)
		script.unlink()
		said = done.stdout.replace(self.password_of(OWNER), "***")
		errors = [line for line in said.splitlines() if line.startswith("ERROR ")]
		if done.returncode or any(may_fail not in error for error in errors):
			raise RuntimeError(f"ij: {errors or said[-2_000:]}{done.stderr}")
		return said

	def _write_properties(self) -> None:
		properties = self.folder / "derby.properties"
		properties.touch(0o600)
		lines = {
			"derby.connection.requireAuthentication": "true",
			"derby.authentication.provider": "BUILTIN",
			"derby.database.sqlAuthorization": "true",
			"derby.system.durability": "test",
		} | {f"derby.user.{user}": self.password_of(user) for user in (READER, OWNER)}
		properties.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))


def _class_path() -> str:
	return ":".join(map(str, DERBY_JARS))


def _type_of(column: pa.ChunkedArray) -> str:
	kind = column.type
	if pa.types.is_string(kind) or pa.types.is_large_string(kind):
		# In bytes, as DB2 has it.
		longest = pc.max(pc.binary_length(column)).as_py() or 0
		return f"VARCHAR({max(32, longest)})"
	if pa.types.is_timestamp(kind):
		return "TIMESTAMP"
	if pa.types.is_decimal(kind):
		return f"DECIMAL({kind.precision}, {kind.scale})"
	return _TYPES[kind]
