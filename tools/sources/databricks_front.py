"""Makes an open-source Spark Thrift Server look enough like Databricks SQL for its connector.

It serves Thrift over HTTPS with a bearer token and a warehouse's path, as Databricks does, and
speaks to Spark in Spark's own way. It adds what Spark does not know: native parameters, the
schema and the settings of a session, results as Arrow batches, and rights on tables, in so far as
it refuses to read those that it is told to deny. The statements, types and all other errors are
Spark's. Run as `python -m tools.sources.databricks_front --socket N --behind PORT
--settings FILE`, where N is a listening socket that the process inherits.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import ssl
import threading
from collections.abc import Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from databricks.sql.thrift_api.TCLIService import TCLIService
from databricks.sql.thrift_api.TCLIService import ttypes as thrift
from thrift.protocol.TBinaryProtocol import TBinaryProtocol, TBinaryProtocolAccelerated
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport, TMemoryBuffer, TTransportException

from tools.sources.spark_rows import arrow_schema, to_array

_SPARKS_VERSION: Final = thrift.TProtocolVersion.HIVE_CLI_SERVICE_PROTOCOL_V8
_DATABRICKS_VERSION: Final = thrift.TProtocolVersion.SPARK_CLI_SERVICE_PROTOCOL_V8
_SETTINGS: Final = {
	"timezone": "spark.sql.session.timeZone",
	"statement_timeout": "spark.sql.thriftServer.queryTimeout",
}


class Refused(TTransportException):  # Thrift lets no other exception out of a service
	"""A request that is answered with an HTTP status instead of a result."""

	def __init__(self, status: int, message: str) -> None:
		super().__init__(message=message)
		self.status = status


class Spark:
	"""A connection to Spark's binary protocol on loopback, for one session."""

	def __init__(self, port: int) -> None:
		self._transport = TBufferedTransport(TSocket("127.0.0.1", port), 1 << 20)
		try:
			self._transport.open()
		except TTransportException as error:
			raise Refused(503, "TEMPORARILY_UNAVAILABLE: the warehouse is stopped") from error
		protocol = TBinaryProtocolAccelerated(self._transport, fallback=False)
		self._client = TCLIService.Client(protocol)
		self._lock = threading.Lock()

	def call(self, name: str, request: Any) -> Any:
		"""Ask Spark, one thing at a time."""
		with self._lock:
			try:
				return getattr(self._client, name)(request)
			except (TTransportException, OSError) as error:
				raise Refused(503, f"TEMPORARILY_UNAVAILABLE: {error}") from error

	def close(self) -> None:
		"""End the connection."""
		self._transport.close()


class Service:
	"""Databricks' Thrift service in terms of Spark's.

	`settings` is a file with the tables that are `denied`, read at each statement.
	"""

	def __init__(self, port: int, settings: Path) -> None:
		self._port = port
		self._settings = settings
		# By the handles of sessions and their operations.
		self._sparks: dict[bytes, Spark] = {}

	def OpenSession(self, request: Any) -> Any:  # noqa: N802 (named by the protocol)
		"""A session with its schema and settings in the notation of Spark."""
		configuration = {
			f"set:hiveconf:{_SETTINGS[key.lower()]}": value
			for key, value in (request.configuration or {}).items()
			if key.lower() in _SETTINGS
		}
		namespace = request.initialNamespace
		if namespace and namespace.schemaName:
			configuration["use:database"] = namespace.schemaName
		asked = thrift.TOpenSessionReq(client_protocol=_SPARKS_VERSION, username="databricks", configuration=configuration)
		spark = Spark(self._port)
		answer = spark.call("OpenSession", asked)
		if answer.sessionHandle:
			self._sparks[answer.sessionHandle.sessionId.guid] = spark
		answer.serverProtocolVersion = _DATABRICKS_VERSION
		answer.initialNamespace = namespace
		answer.canUseMultipleCatalogs = True
		return answer

	def CloseSession(self, request: Any) -> Any:  # noqa: N802
		"""The session's end, and its connection's."""
		spark = self._spark_of(request)
		answer = spark.call("CloseSession", request)
		self._sparks = {guid: other for guid, other in self._sparks.items() if other is not spark}
		spark.close()
		return answer

	def ExecuteStatement(self, request: Any) -> Any:  # noqa: N802
		"""A statement; its parameters by EXECUTE IMMEDIATE, which is Spark's way."""
		spark = self._spark_of(request)
		for table in json.loads(self._settings.read_text()).get("denied", ()):
			if re.search(rf"\b{re.escape(table)}\b", request.statement, re.IGNORECASE):
				return thrift.TExecuteStatementResp(status=_refuse_reading(table))
		if request.parameters:
			values = ", ".join(_literal(parameter) for parameter in request.parameters)
			request.statement = f"EXECUTE IMMEDIATE {_quote(request.statement)} USING {values}"
			request.parameters = None
		answer = spark.call("ExecuteStatement", request)
		if answer.operationHandle:
			self._sparks[answer.operationHandle.operationId.guid] = spark
		return answer

	def GetResultSetMetadata(self, request: Any) -> Any:  # noqa: N802
		"""The result's columns, said to come in Arrow batches."""
		answer = self._spark_of(request).call("GetResultSetMetadata", request)
		if answer.schema:
			answer.arrowSchema = arrow_schema(answer.schema).serialize().to_pybytes()
		answer.resultFormat = thrift.TSparkRowSetType.ARROW_BASED_SET
		answer.lz4Compressed = False
		return answer

	def FetchResults(self, request: Any) -> Any:  # noqa: N802
		"""The next rows, as one Arrow batch."""
		spark = self._spark_of(request)
		answer = spark.call("FetchResults", request)
		described = thrift.TGetResultSetMetadataReq(operationHandle=request.operationHandle)
		answer.resultSetMetadata = self.GetResultSetMetadata(described)
		if answer.results is None:
			return answer
		schema = arrow_schema(answer.resultSetMetadata.schema)
		arrays = [to_array(column, field.type) for column, field in zip(answer.results.columns or (), schema, strict=True)]
		batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
		answer.results.columns = None
		answer.results.rows = []
		answer.results.arrowBatches = [thrift.TSparkArrowBatch(batch.serialize().to_pybytes(), batch.num_rows)]
		# Spark says never; an empty batch is how its end shows.
		answer.hasMoreRows = batch.num_rows > 0
		return answer

	def __getattr__(self, name: str) -> Any:
		"""All other calls as they are."""
		if not name[:1].isupper():
			raise AttributeError(name)
		return lambda request: self._spark_of(request).call(name, request)

	def _spark_of(self, request: Any) -> Spark:
		handle = getattr(request, "operationHandle", None)
		guid = handle.operationId.guid if handle else request.sessionHandle.sessionId.guid
		if guid not in self._sparks:
			raise Refused(404, "RESOURCE_DOES_NOT_EXIST: no such session")
		return self._sparks[guid]


class Handler(BaseHTTPRequestHandler):
	"""One request: who asks, for which warehouse, and what.

	`settings` is a file with `tokens` and `http_path`, read at each request, so that a token can
	be revoked; `processor` is Thrift's, over a `Service`.
	"""

	protocol_version = "HTTP/1.1"

	def __init__(self, *given: Any, settings: Path, processor: TCLIService.Processor) -> None:
		self._settings = settings
		self._processor = processor
		super().__init__(*given)

	def do_POST(self) -> None:
		"""Answer a call of the Thrift service."""
		body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
		try:
			self._check(json.loads(self._settings.read_text()))
			self._answer(200, self._process(body))
		except Refused as refused:
			self._answer(refused.status, b"", {"x-thriftserver-error-message": str(refused)})

	def log_message(self, *_: object) -> None:
		"""Nothing: requests carry tokens."""

	def _check(self, settings: Mapping[str, Any]) -> None:
		token = self.headers.get("Authorization", "").removeprefix("Bearer ")
		if token not in settings["tokens"]:
			raise Refused(403, "Invalid access token.")
		if self.path != settings["http_path"]:
			raise Refused(404, "RESOURCE_DOES_NOT_EXIST: no SQL warehouse at this path")

	def _process(self, body: bytes) -> bytes:
		answer = TMemoryBuffer()
		self._processor.process(TBinaryProtocol(TMemoryBuffer(body)), TBinaryProtocol(answer))
		sent: bytes = answer.getvalue()
		return sent

	def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
		self.send_response(status)
		for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
			self.send_header(name, value)
		self.end_headers()
		self.wfile.write(body)


def serve(listener: socket.socket, behind: int, settings: Path) -> None:
	"""Serve on a listening socket until the process is ended."""
	processor = TCLIService.Processor(Service(behind, settings))
	handler = partial(Handler, settings=settings, processor=processor)
	server = ThreadingHTTPServer(("127.0.0.1", 0), handler, bind_and_activate=False)
	context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
	context.load_cert_chain(settings.with_name("server.pem"))
	server.socket.close()
	# In the handler's thread: a client that stalls holds up no other.
	server.socket = context.wrap_socket(listener, server_side=True, do_handshake_on_connect=False)
	HTTPServer.serve_forever(server)


def _refuse_reading(table: str) -> Any:
	# Error classes as Databricks documents them.
	return thrift.TStatus(
		statusCode=thrift.TStatusCode.ERROR_STATUS,
		sqlState="42501",
		errorMessage="[INSUFFICIENT_PERMISSIONS] Insufficient privileges:\n"
		f"User does not have permission SELECT on Table `{table}`. SQLSTATE: 42501",
	)


def _literal(parameter: Any) -> str:
	value = parameter.value
	if value is None or value.stringValue is None:
		return "NULL"
	return f"CAST({_quote(value.stringValue)} AS {parameter.type})"


def _quote(text: str) -> str:
	return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def main() -> None:
	"""Serve on an inherited socket until the process is ended."""
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--socket", type=int, required=True)
	parser.add_argument("--behind", type=int, required=True)
	parser.add_argument("--settings", type=Path, required=True)
	given = parser.parse_args()
	serve(socket.socket(fileno=given.socket), given.behind, given.settings)


if __name__ == "__main__":
	main()
