"""PySpark's Thrift Server on the loopback interface, as Databricks SQL.

In binary mode: in HTTP mode it would listen on all interfaces.
"""

import importlib.util
import json
import secrets
import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from tools.sources.processes import KeptServer, Process
from tools.sources.system_packages import JAVA, has_java

CATALOG, SCHEMA = "spark_catalog", "business_events"
HTTP_PATH = "/sql/1.0/warehouses/loantap"
_MEMORY = "768m"
_SETTINGS = {
	"spark.ui.enabled": "false",
	"spark.driver.host": "127.0.0.1",
	"spark.driver.bindAddress": "127.0.0.1",
	# Parquet files, made known at each start.
	"spark.sql.catalogImplementation": "in-memory",
	# Results leave as they are read, of any size.
	"spark.sql.thriftServer.incrementalCollect": "true",
	"spark.sql.shuffle.partitions": "1",
	# Far from UTC, so that dependence on the zone shows.
	"spark.sql.session.timeZone": "Asia/Kolkata",
}


def missing() -> str | None:
	"""What has to be installed first, as a command; None when all is there."""
	if not has_java():
		return f"apt-get install {JAVA}"
	modules = {"pyspark": "spark", "databricks.sql": "databricks", "trustme": "dev"}
	absent = [extra for name, extra in modules.items() if not _is_installed(name)]
	return f"pip install loantap[{','.join(absent)}]" if absent else None


class ThriftServer(KeptServer):
	"""Spark over a folder of tables, behind the front that makes it look like Databricks."""

	def __init__(self, folder: Path | None = None) -> None:
		super().__init__(folder)
		self._front_settings = self.folder / "front.json"
		if not self._front_settings.exists():
			self._make_certificate()
			self.allow([f"dapi/{secrets.token_hex(16)}+=="])

	@property
	def token(self) -> str:
		"""The token of the reader; it has what a URL must quote."""
		tokens: list[str] = json.loads(self._front_settings.read_text())["tokens"]
		return tokens[0] if tokens else ""

	@property
	def connection(self) -> str:
		"""URL of the reader."""
		return self.connect_as(self.token)

	def connect_as(self, token: str, *, port: int | None = None, http_path: str = HTTP_PATH) -> str:
		"""URL with a token, through another port such as a proxy's if given."""
		return (
			f"databricks://token:{quote(token, safe='')}@127.0.0.1:{port or self.port}"
			f"?http_path={http_path}&catalog={CATALOG}&schema={SCHEMA}"
			f"&tls_ca_file={self.folder / 'ca.pem'}"
		)

	def allow(self, tokens: list[str], denied: Sequence[str] = ()) -> None:
		"""Accept these tokens from now on, and no other; with them, these tables are `denied`."""
		self._front_settings.touch(0o600)
		# In one step: the front reads it at each request.
		replacement = self._front_settings.with_suffix(".new")
		replacement.touch(0o600)
		replacement.write_text(json.dumps({"tokens": tokens, "http_path": HTTP_PATH, "denied": denied}))
		replacement.rename(self._front_settings)

	def start(self) -> None:
		"""Start Spark and its front; returns when they answer and the tables are there."""
		settings = ("--settings", str(self._front_settings))
		self._start_front(self._start_spark(), "tools.sources.databricks_front", *settings)
		tables = [path.name for path in (self.folder / "tables").glob("*")]
		self.run_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}", *map(self._create, tables))

	def load(self, table: str, rows: pa.Table) -> None:
		"""Make a table anew with these rows, for the reader to read."""
		path = self.folder / "tables" / table
		self.run_sql(f"DROP TABLE IF EXISTS {SCHEMA}.{table}")
		shutil.rmtree(path, ignore_errors=True)
		path.mkdir(parents=True)
		# Without a zone Spark would take another type, which this server cannot send.
		fields = [
			field.with_type(pa.timestamp("us", "UTC")) if pa.types.is_timestamp(field.type) else field
			for field in rows.schema
		]
		pq.write_table(rows.cast(pa.schema(fields)), path / "rows.parquet")
		self.run_sql(self._create(table))

	def run_sql(self, *statements: str) -> None:
		"""Run statements in one session, past the front; the first that fails raises."""
		from databricks.sql.thrift_api.TCLIService import ttypes as thrift

		from tools.sources.databricks_front import Spark

		version = thrift.TProtocolVersion.HIVE_CLI_SERVICE_PROTOCOL_V8
		with closing(Spark(self._behind)) as spark:
			opened = spark.call("OpenSession", thrift.TOpenSessionReq(client_protocol=version))
			session = _check(opened).sessionHandle
			for statement in statements:
				request = thrift.TExecuteStatementReq(sessionHandle=session, statement=statement)
				_check(spark.call("ExecuteStatement", request))
			spark.call("CloseSession", thrift.TCloseSessionReq(sessionHandle=session))

	def _create(self, table: str) -> str:
		path = self.folder / "tables" / table
		return f"CREATE TABLE {SCHEMA}.{table} USING parquet LOCATION 'file:{path}'"

	def _start_spark(self) -> Process:
		import pyspark

		log = self.folder / "spark.log"
		temporary = self.folder / "tmp"
		temporary.mkdir(exist_ok=True)
		settings = _SETTINGS | {
			"spark.sql.warehouse.dir": f"file:{self.folder / 'warehouse'}",
			"spark.local.dir": str(temporary),
		}
		hive = {
			"hive.server2.transport.mode": "binary",
			"hive.server2.authentication": "NOSASL",
			"hive.server2.thrift.bind.host": "127.0.0.1",
			"hive.server2.thrift.port": str(self._behind),
		}
		java = f"-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.io.tmpdir={temporary}"
		spark = Process.start(
			[
				Path(pyspark.__file__).parent / "bin" / "spark-submit",
				"--class",
				"org.apache.spark.sql.hive.thriftserver.HiveThriftServer2",
				"--master",
				"local[1]",
				"--driver-memory",
				_MEMORY,
				"--driver-java-options",
				java,
				*(part for key, value in settings.items() for part in ("--conf", f"{key}={value}")),
				"spark-internal",
				*(part for key, value in hive.items() for part in ("--hiveconf", f"{key}={value}")),
			],
			log,
			env={"SPARK_LOCAL_IP": "127.0.0.1"},
		)
		spark.wait_for_port(self._behind, log, within_s=120)
		return spark

	def _make_certificate(self) -> None:
		import trustme

		authority = trustme.CA()
		authority.cert_pem.write_to_path(str(self.folder / "ca.pem"))
		chain = self.folder / "server.pem"
		chain.touch(0o600)
		certificate = authority.issue_cert("127.0.0.1", "localhost")
		certificate.private_key_and_cert_chain_pem.write_to_path(str(chain))


def _is_installed(module: str) -> bool:
	try:
		return importlib.util.find_spec(module) is not None
	except ModuleNotFoundError:  # not even the package that would hold it
		return False


def _check(answer: Any) -> Any:
	if answer.status.statusCode != 0:
		raise RuntimeError(f"Spark: {answer.status.errorMessage}")
	return answer
