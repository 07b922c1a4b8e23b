"""What a driver's error means for the user: where, what, the remedy, and whether to try again."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from loantap.databases.backends.connection_text import redact
from loantap.databases.backends.interface import MAX_TEXT_BYTES, SourceDownError
from loantap.portfolio.errors import InputError

T = TypeVar("T")

_LONGEST_QUOTED = 300


def _state(codes: str) -> str:
	"""A pattern of SQLSTATE codes; a port may have the same digits."""
	return rf"(?:State: |\[|SQLSTATE[=:] ?)(?:{codes})"


# What arrow-odbc and pyodbc put around the words of the server.
_WRAPPING = re.compile(
	r"ODBC emitted an error calling '\w+':\s*|Native error: -?\d+, (?:Message: )?"
	r"|;?\s*Error while executing the query|\[unixODBC\]|\s*\(-?\d+\) \(SQL\w+\)"
)
# PostgreSQL adds the row that a rule of a table refuses: personal data.
_DETAIL = re.compile(r"\s*DETAIL:.*", re.DOTALL)
# Such messages quote the value, which may be personal as well.
_HAS_A_VALUE = re.compile(_state(r"22\w{3}") + "|CAST_INVALID_INPUT")
# From the first quote to the last: a value may have quotes in it.
_QUOTED = re.compile(r"[\"'].*[\"']", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fault:
	"""A kind of failure, by what the driver says of it, and whether it may pass by itself."""

	pattern: str
	problem: str
	remedy: str
	passes: bool = False


_GRANT = "Have it granted: to read, GRANT SELECT ON the table TO the login; to write, the rights in docs/sources.md"
# The first that fits is taken: the drivers of PostgreSQL and IBM have one code, 08001, for all
# faults of a login, so words and IBM's own codes come before it.
_FAULTS = (
	Fault(
		r"SQL30082N.*reason \"(?:15|17)\"|SQL1639N",
		"the server does not take logins in this form",
		"Name the form it takes in the connection text, such as Authentication=SERVER",
	),
	Fault(
		r"SQL30082N|SQL1403N|Invalid access token|HTTP 40[13]",
		"the login is refused",
		"Correct user and password, or the token, in the connection text; a token may have "
		"expired, or not be allowed to use the SQL warehouse",
	),
	Fault(
		r"SQL30061N|SQL1013N|SCHEMA_NOT_FOUND|NO_SUCH_CATALOG|CATALOG_NOT_FOUND",
		"the database is not there, or not open to this login",
		"Correct database, catalog and schema in the connection text, or have access granted",
	),
	Fault(r"SQL1336N", "there is no host of this name", "Correct the server in the connection text"),
	Fault(
		r"RESOURCE_DOES_NOT_EXIST|ENDPOINT_NOT_FOUND|HTTP 404",
		"there is no SQL warehouse at this path",
		"Copy http_path from the warehouse's connection details",
	),
	Fault(
		r"GSKit Error|SQL20576N|CERTIFICATE_VERIFY_FAILED",
		"the encrypted connection is not trusted",
		"Name the certificate of the authority that signed the server's in the connection text "
		"(DB2: SSLServerCertificate, Databricks: tls_ca_file)",
	),
	Fault(
		r"SQL0805N",
		"the packages of IBM's driver are not in the database",
		"Have its administrator bind them: db2 bind @db2cli.lst blocking all grant public",
	),
	Fault(
		r"SQL1598N|SQL8002N",
		"the server wants a licence of Db2 Connect",
		"Have it activated on the server, or put the licence file beside the driver",
	),
	Fault(
		r"SQL0204N|TABLE_OR_VIEW_NOT_FOUND",
		"the table is not there",
		"Correct the schema in the connection text, or make a view of this name",
	),
	Fault(r"SQL0551N|SQL1060N|INSUFFICIENT_PERMISSIONS|PERMISSION_DENIED", "the login is not allowed to do this", _GRANT),
	Fault(
		r"SQL1224N|SQL30108N|CLI010[68]E|SQL30081N.*\"(?:recv|send)\"|Fetch Failure:\s*$"
		r"|INVALID_HANDLE|SESSION_NOT_FOUND|Invalid (?:Session|Operation)Handle"
		r"|RemoteDisconnected|Connection aborted|IncompleteRead|UNEXPECTED_EOF"
		r"|inconsistency in the state between the client and the server",
		"the connection broke",
		"Run again when the system and the network are up",
		passes=True,
	),
	Fault(
		r"SQL30081N|SQL1032N|SQL1035N|HTTP (?:429|5\d\d)|TEMPORARILY_UNAVAILABLE"
		r"|Failed to establish a new connection",
		"the system does not answer",
		"Check that it is up and that server and port in the connection text are right",
		passes=True,
	),
	Fault(
		_state("IM00[23]") + "|Can't open lib|Data source name not found",
		"the ODBC driver or the data source of this name is not installed",
		"Install it (PostgreSQL's: `apt-get install odbc-postgresql`) and name it as `odbcinst -q -d` lists it",
	),
	Fault(
		_state(r"28\w{3}") + r"|password authentication failed|no password supplied"
		r"|fe_sendauth|role \"[^\"]*\" (?:does not exist|is not permitted to log in)",
		"the login is refused",
		"Correct user and password in the connection text",
	),
	Fault(
		r"no pg_hba\.conf entry|pg_hba\.conf rejects",
		"the server does not let this machine, user or database in",
		"Ask its administrator for access from here (an entry in pg_hba.conf), or for TLS add SSLmode=verify-full",
	),
	Fault(
		_state("3D000") + r"|FATAL:\s+database \"[^\"]*\" does not exist|permission denied for database",
		"the database is not there, or not open to this login",
		"Correct the name of the database in the connection text, or have access granted",
	),
	Fault(
		r"Name or service not known|nodename nor servname|No address associated with hostname",
		"there is no host of this name",
		"Correct the server in the connection text",
	),
	Fault(
		r"certificate verify failed|root certificate|server certificate|does not support SSL",
		"the encrypted connection is not trusted",
		"Give the certificate of the authority that signed the server's, or connect by the name that stands in it",
	),
	Fault(
		_state("53[14]00") + r"|SQL0968C|SQL0289N|disk is full|No space left on device"
		r"|could not (?:extend file|write block)",
		"the disk of the server is full, or the room it allows is used up",
		"Have its administrator make room, then run again",
	),
	Fault(
		r"no schema has been selected",
		"the login has no schema to write into",
		"Make one for it and set its search_path, as docs/sources.md says",
	),
	Fault(
		_state("42P01|42S02|3F000") + r"|no such table|relation \"[^\"]*\" does not exist",
		"the table is not there",
		"Correct the database or schema in the connection text, make a view of this name, or have "
		"the right to see it granted",
	),
	Fault(
		_state("42703|42S22") + r"|no such column|column \S+ does not exist",
		"a column is not there",
		"Have it restored at the source, or read a view that has it",
	),
	Fault(_state("42501") + "|permission denied", "the login is not allowed to do this", _GRANT),
	Fault(
		_state("25006") + "|read-only transaction",
		"the login may only read",
		"Write with a login of its own, as docs/sources.md says",
	),
	Fault(
		_state("55P03") + "|due to lock timeout",
		"another transaction holds the table",
		"Let it end, or end it, and run again",
	),
	Fault(
		r"canceling statement due to statement timeout",
		"the server ended the statement after its own time limit",
		"Have statement_timeout raised for this login, or raise silence_limit_s of the table in "
		"the catalog, whichever is shorter",
	),
	Fault(
		r"too large to be written into the allocated buffer",
		f"a value is longer than the limit (a text: {MAX_TEXT_BYTES:,} bytes), and would have been cut off",
		"Shorten it at the source, or in a view that is read instead",
	),
	Fault(
		_state("22021|22P05") + r"|invalid byte sequence|has no equivalent in encoding"
		r"|(?i:invalid utf-?8)",
		"a text is not valid in its encoding",
		"Correct it at the source, or in a view that is read instead",
	),
	Fault(
		_state("22P02|22003|2200[78]|22018") + "|CAST_INVALID_INPUT",
		"a value does not fit its type",
		"Correct it at the source, or in a view that is read instead",
	),
	Fault(
		_state("57P0[1-5]|08S01|08003|08006|08007") + r"|terminating connection|server closed the connection"
		r"|connection has been lost|[Cc]onnection reset|[Bb]roken pipe|no connection to the server",
		"the connection broke",
		"Run again when the system and the network are up",
		passes=True,
	),
	Fault(
		_state("40001|40P01|57014") + "|conflict with recovery",
		"the server ended the statement in favour of another",
		"Run again when the system is less busy",
		passes=True,
	),
	Fault(
		_state("53300") + r"|SQL1040N|SQL1226N|too many (?:clients|connections)"
		r"|remaining connection slots",
		"the system has no connection left to give",
		"Run again when fewer are in use, or have their number raised for this login",
		passes=True,
	),
	Fault(
		_state("08001|08004|HYT0[01]|53200") + r"|Connection refused|[Tt]imed? ?out"
		r"|timeout expired|starting up|shutting down|in recovery mode|No route to host"
		r"|unreachable|Temporary failure in name",
		"the system does not answer",
		"Check that it is up and that server and port in the connection text are right",
		passes=True,
	),
)
_UNKNOWN = Fault("", "the statement failed", "Check the driver, the login and the table")


def explain(where: str, message: str, secrets: tuple[str, ...]) -> InputError:
	"""The error to raise for what a driver said, quoted without any secret.

	A `SourceDownError` where another attempt is worth while.
	"""
	fault = next((f for f in _FAULTS if re.search(f.pattern, message)), _UNKNOWN)
	# Secrets go first, while they are whole.
	shown = _WRAPPING.sub("", _DETAIL.sub("", redact(message, secrets)))
	if _HAS_A_VALUE.search(message):
		shown = _QUOTED.sub('"..."', shown)
	words = " ".join(shown.split())
	kind = SourceDownError if fault.passes else InputError
	return kind(where, f"{fault.problem} ({_shorten(words)})", fault.remedy)


def asking(
	ask: Callable[[], T], errors: type[Exception] | tuple[type[Exception], ...], where: str, secrets: tuple[str, ...]
) -> T:
	"""What a driver answers, its errors explained.

	Raises:
		SourceDownError, InputError: without the driver's own error in the chain.
	"""
	try:
		return ask()
	except errors as error:
		# The last argument is the message; pyodbc has the state before it.
		explained = explain(where, str(error.args[-1] if error.args else error), secrets)
	# Out here the driver's error is not the context of ours.
	raise explained


def _shorten(words: str) -> str:
	return words if len(words) <= _LONGEST_QUOTED else f"{words[: _LONGEST_QUOTED - 3]}..."
